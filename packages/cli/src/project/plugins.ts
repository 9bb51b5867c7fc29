// From what --plugins says to plugins.
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolveModule } from 'import-meta-resolve';
import type { Plugin } from '@warren/core';
import { NotAPluginError, PluginNotFoundError } from '../errors.js';
import { loadDefault, shown } from './modules.js';

/** Where a plugin came from, for `worker plugins`. */
export interface LoadedPlugin {
  readonly plugin: Plugin;
  /** The file, or undefined where the configuration made it. */
  readonly file: string | undefined;
}

/** Plugins by name or as the configuration made them. A name whose plugin is among `made` is that one, with its options. */
export async function loadPlugins(
  given: ReadonlyArray<string | Plugin>,
  { cwd, made }: { cwd: string; made: readonly Plugin[] },
): Promise<LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = [];
  for (const entry of given) {
    const ready = typeof entry === 'string' ? made.find(({ name }) => name === entry) : entry;
    loaded.push(ready ? { plugin: ready, file: undefined } : await loadPlugin(entry as string, cwd));
  }
  return loaded;
}

async function loadPlugin(name: string, cwd: string): Promise<LoadedPlugin> {
  const file = isPath(name) ? resolvePath(name, cwd) : resolvePackage(name, cwd);
  const exported = await loadDefault(file);
  const plugin: unknown = typeof exported === 'function' ? (exported as () => unknown)() : exported;
  if (!isPlugin(plugin)) throw new NotAPluginError({ name, file, got: shown(exported) });
  return { plugin, file };
}

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string';
}

function isPath(name: string): boolean {
  return /^(?:\.{1,2}(?:[/\\]|$)|file:)/.test(name) || isAbsolute(name);
}

function resolvePath(name: string, cwd: string): string {
  const file = name.startsWith('file:') ? fileURLToPath(name) : resolve(cwd, name);
  if (!existsSync(file)) throw new PluginNotFoundError({ name, tried: [file], cwd });
  return file;
}

/** The packages that a name may mean, the likeliest first. */
export function candidates(name: string): string[] {
  const [, scope, rest] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  if (scope && rest) return [name, `${scope}/warren-plugin-${rest}`];
  return [`@warren/plugin-${name}`, `warren-plugin-${name}`, name];
}

function resolvePackage(name: string, cwd: string): string {
  const tried = candidates(name);
  // The user's project first: its version of a plugin is the one that its handlers use.
  const bases = [pathToFileURL(join(cwd, 'worker.config.js')).href, import.meta.url];
  for (const candidate of tried) {
    for (const base of bases) {
      const file = tryResolve(candidate, base);
      if (file) return file;
    }
  }
  throw new PluginNotFoundError({ name, tried, cwd });
}

function tryResolve(specifier: string, base: string): string | undefined {
  if (builtinModules.includes(specifier)) return undefined;
  try {
    const file = fileURLToPath(resolveModule(specifier, base));
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
