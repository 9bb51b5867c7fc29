// Loads the user's modules: TypeScript by jiti, which knows decorators and shares one copy of core; anything else by Node itself.
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { createJiti } from 'jiti';
import type { Jiti } from 'jiti';
import { WorkerError } from '@warren/core';
import { ModuleLoadError } from '../errors.js';

const TYPESCRIPT = /\.[cm]?ts$/;

/** The one loader of TypeScript: a second one would load a second copy of what both load. */
export const jiti: Jiti = createJiti(import.meta.url, { interopDefault: false });

/** What the module default-exports, also where it was compiled to CommonJS. */
export async function loadDefault(file: string): Promise<unknown> {
  try {
    const loaded = (await (TYPESCRIPT.test(file) ? jiti.import(file) : import(pathToFileURL(file).href))) as {
      default?: unknown;
    };
    const exported = loaded.default;
    return isCompiledModule(exported) ? exported.default : exported;
  } catch (cause) {
    // An option that a plugin or a job definition refuses says itself what is wrong.
    if (cause instanceof WorkerError) throw cause;
    throw new ModuleLoadError({ file, cause });
  }
}

function isCompiledModule(exported: unknown): exported is { default: unknown } {
  return typeof exported === 'object' && exported !== null && '__esModule' in exported && 'default' in exported;
}

/** A module's export, for messages: short and on one line. */
export function shown(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Infinity });
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
