// worker config and worker plugins: what the other commands go by.
import { inspect } from 'node:util';
import { relative } from 'node:path';
import { EXIT } from '../exit.js';
import { printJson, printTable, say } from '../output.js';
import type { OutputFlags } from '../output.js';
import { loadProjectConfig } from './config.js';
import { loadPlugins } from './plugins.js';
import { redacted } from './redacted.js';
import type { ProjectFlags } from './sources.js';

export interface ShowFlags extends ProjectFlags, OutputFlags {}

/** The merged configuration with the origin of each value; passwords are hidden. */
export async function showConfig(flags: ShowFlags): Promise<number> {
  const { cwd, file, values, origins } = await loadProjectConfig(flags);
  const settings = Object.entries(values).map(([name, value]) => ({
    name,
    value: safe(value),
    origin: origins[name as keyof typeof origins],
  }));
  if (flags.json) printJson({ cwd, file, settings });
  else
    printTable(
      ['SETTING', 'VALUE', 'FROM'],
      settings.map(({ name, value, origin }) => [name, text(value), origin]),
    );
  say(file ? `${file} in ${cwd}` : `no worker.config file in ${cwd}`, flags);
  return EXIT.done;
}

const SECRET = /pass|secret|token|credential|^key$|pfx/i;

/** A value that can be shown: URLs without passwords, secrets as `***`, plugins by name, functions as what they are. */
function safe(value: unknown, name = ''): unknown {
  if (value !== undefined && SECRET.test(name)) return '***';
  if (typeof value === 'string') return redacted(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return value.map((entry) => safe(entry));
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  // A plugin is its name: the rest of it is functions.
  if ('name' in value && typeof value.name === 'string') return value.name;
  if (Object.getPrototypeOf(value) !== Object.prototype) return `[${value.constructor?.name ?? 'object'}]`;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, safe(entry, key)]));
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join(', ') || 'none';
  return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity });
}

/** The plugins in the order given, where each came from, and the options that it owns. */
export async function showPlugins(flags: ShowFlags): Promise<number> {
  const { cwd, made, values, file } = await loadProjectConfig(flags);
  const loaded = await loadPlugins(values.plugins ?? [], { cwd, made });
  const plugins = loaded.map(({ plugin, file: module }) => ({
    name: plugin.name,
    from: module === undefined ? (file ?? 'worker.config') : relative(cwd, module),
    handlerOptions: plugin.handlerOptions ?? [],
    publishOptions: plugin.publishOptions ?? [],
    dependsOn: plugin.dependsOn ?? [],
  }));
  if (flags.json) printJson({ plugins });
  else if (plugins.length > 0) {
    const rows = plugins.map(({ name, from, handlerOptions, publishOptions }) => [
      name,
      handlerOptions.join(', ') || '-',
      publishOptions.join(', ') || '-',
      from,
    ]);
    printTable(['PLUGIN', 'HANDLER OPTIONS', 'PUBLISH OPTIONS', 'FROM'], rows);
  } else say('no plugins: name them with --plugins, or in worker.config', flags);
  return EXIT.done;
}
