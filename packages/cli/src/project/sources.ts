// The environment and the flags as sources of configuration. Environment names are listed one by one: with a prefix such as WORKER_,
// a Kubernetes service called "worker" would inject settings (WORKER_PORT, WORKER_SERVICE_HOST …).
import { InvalidOptionError } from '@warren/core';

/** Flags that say which project and how; those of all commands that load one. */
export interface ProjectFlags {
  readonly cwd?: string | undefined;
  readonly config?: string | undefined;
  readonly url?: string | readonly string[] | undefined;
  readonly plugins?: readonly string[] | undefined;
  readonly handlers?: readonly string[] | undefined;
  readonly prefetch?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly 'shutdown-timeout'?: string | undefined;
  readonly 'log-level'?: string | undefined;
  readonly 'management-url'?: string | undefined;
  readonly store?: string | undefined;
}

/** One value of the configuration and where it is from. */
export interface Sourced {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

type Parse = (text: string, name: string) => unknown;

const list: Parse = (text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
const same: Parse = (text) => text;

/** The first of a key's names that is set counts; the two of Heroku and of many compose files among them. */
const ENVIRONMENT: ReadonlyArray<readonly [key: string, names: readonly string[], parse: Parse]> = [
  ['url', ['AMQP_URL', 'RABBITMQ_URL', 'CLOUDAMQP_URL'], list],
  ['logLevel', ['LOG_LEVEL'], (text) => text.toLowerCase()],
  ['managementUrl', ['WARREN_MANAGEMENT_URL'], same],
  ['store', ['WARREN_STORE'], same],
];

export function fromEnvironment(env: NodeJS.ProcessEnv): Sourced[] {
  return ENVIRONMENT.flatMap(([key, names, parse]) => {
    const name = names.find((candidate) => env[candidate]);
    return name ? [{ key, value: parse(env[name] as string, name), origin: `environment ${name}` }] : [];
  });
}

const whole: Parse = (text, name) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidOptionError({ option: name, expected: 'a whole number', got: text });
};

const FLAGS: ReadonlyArray<
  readonly [flag: keyof ProjectFlags, key: string, parse: (given: readonly string[], name: string) => unknown]
> = [
  ['url', 'url', (given) => given.flatMap((text) => list(text, 'url') as string[])],
  ['plugins', 'plugins', (given) => given.flatMap((text) => list(text, 'plugins') as string[])],
  // Not split at commas: patterns may hold them, as in *.{ts,js}.
  ['handlers', 'handlers', (given) => given],
  ['prefetch', 'prefetch', (given, name) => whole(given.at(-1) ?? '', name)],
  ['concurrency', 'concurrency', (given, name) => whole(given.at(-1) ?? '', name)],
  ['shutdown-timeout', 'shutdownTimeout', (given) => duration(given.at(-1) ?? '')],
  ['log-level', 'logLevel', (given) => given.at(-1)],
  ['management-url', 'managementUrl', (given) => given.at(-1)],
  ['store', 'store', (given) => given.at(-1)],
];

/** A bare number is milliseconds, as everywhere. */
function duration(text: string): unknown {
  return /^\d+$/.test(text) ? Number(text) : text;
}

export function fromFlags(flags: ProjectFlags): Sourced[] {
  return FLAGS.flatMap(([flag, key, parse]) => {
    const given = flags[flag];
    if (given === undefined) return [];
    const all: readonly string[] = [given].flat();
    return [{ key, value: parse(all, `--${flag}`), origin: `flag --${flag}` }];
  });
}
