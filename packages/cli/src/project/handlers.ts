import { relative } from 'node:path';
import { glob } from 'tinyglobby';
import type { HandlerDefinition, Worker } from '@warren/core';
import { HandlerModuleError, ModuleLoadError, NoHandlersError } from '../errors.js';
import { WorkerError } from '@warren/core';
import { loadDefault, shown } from './modules.js';

/** Where handlers are looked for when nobody says. */
export const DEFAULT_HANDLERS: readonly string[] = ['./handlers/*.{ts,mts,cts,js,mjs,cjs}'];

/** The files that the patterns match, each once, sorted. Throws `ERR_NO_HANDLERS` where a pattern matches none. */
export async function findHandlers(patterns: readonly string[], cwd: string): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const matches = await glob([pattern], {
      cwd,
      absolute: true,
      ignore: ['**/*.d.ts', '**/*.d.mts', '**/*.d.cts'],
      expandDirectories: false,
    });
    if (matches.length === 0) throw new NoHandlersError({ patterns: [pattern], cwd });
    for (const file of matches.toSorted()) files.add(file);
  }
  return [...files];
}

/** Loads handler modules and registers what they export. */
export async function registerHandlers(worker: Worker, files: readonly string[], cwd: string): Promise<void> {
  for (const file of files) await registerModule(worker, file, cwd);
}

type Register = (worker: Worker) => unknown;

async function registerModule(worker: Worker, file: string, cwd: string): Promise<void> {
  const exported = await loadDefault(file);
  if (typeof exported === 'function') return call(exported as Register, worker, file);
  const definitions: unknown[] = Array.isArray(exported) ? exported : [exported];
  if (definitions.length === 0 || !definitions.every(isDefinition)) {
    throw new HandlerModuleError({ file: relative(cwd, file), got: shown(exported) });
  }
  for (const { job, handler, options } of definitions) worker.handle(job, handler, options);
}

async function call(register: Register, worker: Worker, file: string): Promise<void> {
  try {
    await register(worker);
  } catch (cause) {
    if (cause instanceof WorkerError) throw cause;
    throw new ModuleLoadError({ file, cause });
  }
}

function isDefinition(value: unknown): value is HandlerDefinition {
  return typeof value === 'object' && value !== null && 'job' in value && 'handler' in value && 'options' in value;
}
