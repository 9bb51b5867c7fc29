// What people read of an event; machines get the same facts as JSON.
import { inspect } from 'node:util';

export interface ReadableLine {
  readonly event: string;
  readonly text: string;
}

/** The facts of the events below; each has some of them. */
interface Facts {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly url: string;
  readonly attempt: number;
  readonly attempts: number;
  readonly delay?: number;
  readonly reason: string;
  readonly err?: Error;
  readonly plugins: readonly string[];
  readonly jobs: ReadonlyArray<{ readonly name: string; readonly queue: string; readonly limits: string }>;
  readonly job?: string;
  readonly id?: string;
  readonly ms: number;
  readonly running: number;
  readonly deadline: number;
  readonly abandoned: number;
  readonly joined: boolean;
  readonly instead: string;
  readonly data?: string;
}

/** `12 ms`, `1.2 s`, `3 min`, `1.5 h`, `3 d`. */
export function shortTime(ms: number): string {
  if (ms < 999.5) return `${ms < 10 ? ms.toFixed(1).replace(/\.0$/, '') : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(1).replace(/\.0$/, '')} h` : `${Math.round(ms / 86_400_000)} d`;
}

/** `3 min ago`, of a time in ISO 8601. */
export function ago(time: string): string {
  return `${shortTime(Math.max(0, Date.now() - Date.parse(time)))} ago`;
}

const errorText = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : shown(error));
const because = (error: unknown): string => (error === undefined ? '' : `  ${errorText(error)}`);

function settled({ job, id, attempt, ms, delay, err }: Facts): string {
  const again = delay === undefined ? '' : `  again in ${shortTime(delay)}`;
  return `${job ?? 'unknown job'}${id === undefined ? '' : `  id=${id}`}  attempt=${attempt}  ${shortTime(ms)}${again}${because(err)}`;
}

const TEXTS: Record<string, (facts: Facts) => string> = {
  worker: ({ version, node, pid }) => `${version}  node ${node}  pid ${pid}`,
  connected: ({ url, version }) => `${url} (${version})`,
  reconnected: ({ url, version }) => `${url} (${version})`,
  disconnected: ({ err }) => (err ? errorText(err) : 'the broker is gone'),
  reconnecting: ({ attempt, delay = 0, err }) => `attempt ${attempt} in ${shortTime(delay)}${because(err)}`,
  alarm: ({ attempts, err }) => `still not connected after ${attempts} attempts${because(err)}`,
  blocked: ({ reason }) => `the broker takes no messages: ${reason}`,
  unblocked: () => 'the broker takes messages again',
  embedded: ({ url, joined, instead }) =>
    `${joined ? `joined the embedded broker at ${url}, which ends with the process that started it` : `no broker configured: started an embedded one at ${url}, which ends with this worker, and its messages with it`}; ${instead}`,
  'no broker': ({ url }) =>
    `none configured, and none at ${url}; in production none is started here unless --embedded-broker asks for it`,
  broker: ({ url, data, pid }) => `${url}  ${data === undefined ? 'in memory' : `data in ${data}`}  pid ${pid}  (Ctrl-C ends it)`,
  management: ({ url }) => url,
  closing: () => 'the broker ends',
  plugins: ({ plugins }) => plugins.join(', ') || 'none',
  jobs: ({ jobs }) => jobs.map(({ name, queue, limits }) => `${name} (queue ${queue}${limits && `, ${limits}`})`).join(' · '),
  done: settled,
  retry: settled,
  requeued: settled,
  'dead letter': settled,
  draining: ({ running, deadline }) =>
    `${running} running, no new deliveries (Ctrl-C again to abandon them; limit ${shortTime(deadline)})`,
  drained: ({ ms }) => `in ${shortTime(ms)}`,
  abandoned: ({ abandoned }) => `${abandoned} given back`,
};

/** An event of ours as its own line; anything else as it was logged, with its level. */
export function readable(level: string, message: string, facts: object): ReadableLine {
  const text = Object.hasOwn(TEXTS, message) ? TEXTS[message] : undefined;
  return text ? { event: message, text: text(facts as Facts) } : { event: level, text: `${message}  ${pairs(facts)}`.trimEnd() };
}

/** Facts in the order given, as `name=value`; an error as its message. */
function pairs(facts: object): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (value instanceof Error ? errorText(value) : `${name}=${shown(value)}`))
    .join('  ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 2, breakLength: Infinity, maxStringLength: 500 });
}
