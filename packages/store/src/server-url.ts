import { redactUrl } from '@warren/core';
import { StoreUrlError } from './errors.js';

/** Milliseconds beyond the timeout of a call: nobody waits for its answer any more, and it is given up where it is. */
export const PATIENCE = 500;

/** The address of a store that is a server. */
export interface ServerUrl {
  /** Without the options that are ours. */
  readonly url: URL;
  /** For messages: without its password. */
  readonly name: string;
  /** Those of ours that are given. */
  readonly options: Readonly<Record<string, string>>;
}

/** Splits what is ours off an address: `ours` are the names of our options. Throws `ERR_STORE_URL`. */
export function parseServerUrl(text: string, ours: readonly string[]): ServerUrl {
  if (!URL.canParse(text)) throw new StoreUrlError({ got: redactUrl(text) });
  const url = new URL(text);
  const given = ours.filter((option) => url.searchParams.has(option));
  const options = Object.fromEntries(given.map((option) => [option, url.searchParams.get(option) ?? '']));
  for (const option of ours) url.searchParams.delete(option);
  return { url, name: redactUrl(url.href), options };
}

/** `expected` says what the option's value has to be. One that is not ours is in the name, and may be a password. */
export function badOption({ name, options }: ServerUrl, option: string, expected: string): StoreUrlError {
  const given = option in options ? `${option}=${options[option]}` : option;
  return new StoreUrlError({ got: `${name} with ${given} (expected ${expected})` });
}
