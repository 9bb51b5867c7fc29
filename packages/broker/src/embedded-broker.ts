import type { Control, QueueCondition, QueueName } from './control/commands.js';
import type { MessageState, QueueState } from './control/states.js';
import type { CommandName, Host } from './host/host.js';
import { startThread } from './host/thread.js';
import { readOptions, type BrokerOptions, type Settings } from './options.js';

const WAIT_TIMEOUT = 5_000;

export interface WaitOptions {
  /** Milliseconds. Default 5000. */
  readonly timeout?: number;
}

/** A queue of a running broker, whether it exists yet or not. */
export interface QueueProbe {
  /** Rejects with ERR_BROKER_NOT_FOUND if there is no such queue. */
  state(): Promise<QueueState>;
  /** Unacknowledged messages, then ready ones, without taking them. At most 100 unless told. */
  messages(most?: number): Promise<MessageState[]>;
  /** Resolves when nothing is ready and nothing unacknowledged. */
  untilEmpty(options?: WaitOptions): Promise<QueueState>;
  /** Resolves when the queue is in that state. */
  until(condition: QueueCondition, options?: WaitOptions): Promise<QueueState>;
  /** Removes the ready messages and returns how many. */
  purge(): Promise<number>;
  delete(): Promise<number>;
}

/** A broker that is running. `await using` closes it. */
export interface EmbeddedBroker extends AsyncDisposable {
  /** With the first user's name and password in it: not for logs, unless that is guest. */
  readonly url: string;
  readonly port: number;
  /** Present if TLS was asked for. */
  readonly tlsUrl: string | undefined;
  /** Present if the management API was asked for. */
  readonly managementUrl: string | undefined;
  /** What a test can do to the broker. */
  readonly control: Control;
  readonly queue: (name: string, virtualHost?: string) => QueueProbe;
  readonly close: () => Promise<void>;
}

/**
 * Starts an AMQP 0-9-1 broker that any client can connect to.
 * Throws ERR_BROKER_OPTION, ERR_BROKER_ADDRESS_IN_USE, ERR_BROKER_PRODUCTION or ERR_BROKER_STORE.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const settings = readOptions(options);
  return embed(settings, await (settings.inProcess ? startInProcess(settings) : startThread(settings)));
}

/** The broker's own code is loaded on the thread that runs it. */
async function startInProcess(settings: Settings): Promise<Host> {
  const { startLocal } = await import('./host/local.js');
  return startLocal(settings);
}

function embed(settings: Settings, host: Host): EmbeddedBroker {
  const control = remoteControl(host);
  const address =
    settings.host === 'localhost' ? '127.0.0.1' : settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const login = (Object.entries(settings.users)[0] ?? []).map(encodeURIComponent).join(':');
  const { port, tlsPort, managementPort } = host.ports;
  return {
    url: `amqp://${login}@${address}:${port}`,
    port,
    tlsUrl: tlsPort === undefined ? undefined : `amqps://${login}@${address}:${tlsPort}`,
    managementUrl: managementPort === undefined ? undefined : `http://127.0.0.1:${managementPort}`,
    control,
    queue: (name, virtualHost = '/') => probe(control, { name, virtualHost }),
    close: () => host.close(),
    [Symbol.asyncDispose]: () => host.close(),
  };
}

function remoteControl(host: Host): Control {
  return new Proxy({} as Control, {
    get(_target, name) {
      // Whoever resolves a promise with it would otherwise take it for another promise.
      if (typeof name === 'symbol' || name === 'then') return undefined;
      return (...args: unknown[]) => host.call(name as CommandName, args);
    },
  });
}

function probe(control: Control, name: QueueName): QueueProbe {
  const until = (condition: QueueCondition, { timeout = WAIT_TIMEOUT }: WaitOptions = {}): Promise<QueueState> =>
    control.untilQueue(name, condition, timeout);
  return {
    state: () => control.queueState(name),
    messages: (most = 100) => control.queueMessages(name, most),
    until,
    untilEmpty: (options) => until({ ready: 0, unacked: 0 }, options),
    purge: () => control.purgeQueue(name),
    delete: () => control.deleteQueue(name),
  };
}
