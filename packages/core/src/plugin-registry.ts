import type { DependencyContainer } from './container.js';
import {
  DuplicatePluginError,
  InvalidOptionError,
  MissingPluginError,
  OptionConflictError,
  PluginCycleError,
  UnknownOptionError,
} from './errors.js';
import type { HandlerInfo } from './handler.js';
import { HANDLER_OPTIONS, PUBLISH_OPTIONS } from './options.js';
import type { Consume, Plugin, Publish } from './plugin.js';
import type { Topology } from './topology.js';

type OptionKind = 'handlerOptions' | 'publishOptions';

/** A worker's plugins, in their one order. Made before connecting; throws a `ConfigurationError` for what is wrong with them. */
export class PluginRegistry {
  readonly plugins: readonly Plugin[];
  /** The names of all options that `publish` knows. */
  readonly publishOptions: ReadonlySet<string>;
  readonly #handlerOptions: ReadonlySet<string>;

  constructor(plugins: readonly Plugin[]) {
    plugins.forEach(requirePlugin);
    this.plugins = inOrder(plugins);
    this.#handlerOptions = owned(this.plugins, 'handlerOptions', HANDLER_OPTIONS);
    this.publishOptions = owned(this.plugins, 'publishOptions', PUBLISH_OPTIONS);
  }

  register(container: DependencyContainer): void {
    for (const plugin of this.plugins) plugin.register?.(container);
  }

  topology(topology: Topology): void {
    for (const plugin of this.plugins) plugin.topology?.(topology);
  }

  async start(container: DependencyContainer): Promise<void> {
    for (const plugin of this.plugins) await plugin.start?.(container);
  }

  /** Backward. Every plugin is stopped; then the first error is thrown. */
  async stop(container: DependencyContainer): Promise<void> {
    const errors: unknown[] = [];
    for (const plugin of this.plugins.toReversed()) {
      try {
        await plugin.stop?.(container);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Folds the plugins' layers around `innermost`: the first plugin is the outermost layer. */
  foldConsume(innermost: Consume, handler: HandlerInfo, container: DependencyContainer): Consume {
    this.#checkHandlerOptions(handler);
    return this.plugins.reduceRight((next, plugin) => plugin.consume?.(next, handler, container) ?? next, innermost);
  }

  foldPublish(innermost: Publish, container: DependencyContainer): Publish {
    return this.plugins.reduceRight((next, plugin) => plugin.publish?.(next, container) ?? next, innermost);
  }

  #checkHandlerOptions({ job, options }: HandlerInfo): void {
    for (const option of Object.keys(options)) {
      if (this.#handlerOptions.has(option)) continue;
      throw new UnknownOptionError({ option, where: `the handler of job "${job.name}"`, known: [...this.#handlerOptions] });
    }
  }
}

function requirePlugin(plugin: unknown): void {
  const named = typeof plugin === 'object' && plugin !== null && typeof (plugin as Plugin).name === 'string';
  if (named) return;
  const expected = typeof plugin === 'function' ? 'a plugin, not the function that makes one: call it' : 'an object with a name';
  throw new InvalidOptionError({ option: 'plugins', expected, got: plugin });
}

/** Depth first, in the order given: a plugin comes as early as what it comes after allows. */
function inOrder(plugins: readonly Plugin[]): Plugin[] {
  const byName = new Map<string, Plugin>();
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) throw new DuplicatePluginError({ plugin: plugin.name });
    byName.set(plugin.name, plugin);
  }
  const order = new Set<Plugin>();
  const visit = (plugin: Plugin, path: readonly string[]): void => {
    if (order.has(plugin)) return;
    const here = [...path, plugin.name];
    if (path.includes(plugin.name)) throw new PluginCycleError({ plugins: here.slice(path.indexOf(plugin.name)) });
    for (const earlier of predecessors(plugin, byName)) visit(earlier, here);
    order.add(plugin);
  };
  for (const plugin of plugins) visit(plugin, []);
  return [...order];
}

function predecessors(plugin: Plugin, byName: ReadonlyMap<string, Plugin>): Plugin[] {
  const required = (plugin.dependsOn ?? []).map((name) => {
    const found = byName.get(name);
    if (!found) throw new MissingPluginError({ plugin: plugin.name, dependsOn: name });
    return found;
  });
  return [...required, ...(plugin.after ?? []).flatMap((name) => byName.get(name) ?? [])];
}

function owned(plugins: readonly Plugin[], kind: OptionKind, core: readonly string[]): ReadonlySet<string> {
  const owners = new Map<string, string>(core.map((option) => [option, '@warren/core']));
  for (const plugin of plugins) {
    for (const option of plugin[kind] ?? []) {
      const owner = owners.get(option);
      if (owner) throw new OptionConflictError({ option, owners: [owner, plugin.name] });
      owners.set(option, plugin.name);
    }
  }
  return new Set(owners.keys());
}
