import { connect } from 'amqp-connection-manager';
import type { AmqpConnectionManager } from 'amqp-connection-manager';
import type { ChannelModel, Options } from 'amqplib';
import { EventEmitter, once } from 'node:events';
import { BrokerTimeoutError, BrokerUnreachableError, ConnectionLostError } from '../errors.js';
import type { BrokerRefusedError } from '../errors.js';
import { redactUrl } from '../logger.js';
import type { Settings } from '../options.js';
import { backoff } from '../retry.js';
import { endedWithin, withDeadline } from './deadline.js';
import { refusal } from './failure.js';

interface LinkEvents {
  up: [event: { model: ChannelModel; url: string }];
  down: [error: Error | undefined];
  /** Before each attempt; counts from 1 since the connection was lost. */
  retry: [event: { attempt: number; delay: number; error: Error | undefined }];
  /** Trying again will not help: the login, the virtual host or the certificate was refused. */
  refused: [error: BrokerRefusedError];
  blocked: [reason: string];
  unblocked: [];
}

/**
 * One connection, kept up by amqp-connection-manager: its server list, heartbeats and reconnect loop, not its channels.
 * The wait before each attempt is ours: exponential with full jitter, so that a fleet does not come back as one.
 */
export class Link extends EventEmitter<LinkEvents> {
  readonly #settings: Settings;
  readonly #wait: (attempt: number) => number;
  #manager: AmqpConnectionManager | undefined;
  #model: ChannelModel | undefined;
  #attempt = 0;
  #lastError: Error | undefined;
  #closed = false;
  /** Ends the sockets, also one whose handshake is under way: nobody else can reach that. */
  #end = new AbortController();

  constructor(settings: Settings) {
    super();
    this.setMaxListeners(0);
    this.#settings = settings;
    this.#wait = backoff(settings.reconnect);
  }

  /** The connection, while it is up. */
  get model(): ChannelModel | undefined {
    return this.#model;
  }

  /** Resolves on the first connection. Rejects where the broker refuses, and when `startTimeout` has passed; then it is closed. */
  async open(): Promise<void> {
    const { startTimeout: ms, urls, findServers } = this.#settings;
    const connected = new Promise<void>((resolve, reject) => {
      this.once('up', () => resolve());
      this.once('down', (cause) => reject(new ConnectionLostError({ cause })));
      this.once('refused', reject);
    });
    this.#connect();
    try {
      await withDeadline(connected, { operation: 'connect', ms });
    } catch (error) {
      await this.close(1_000);
      if (!(error instanceof BrokerTimeoutError)) throw error;
      const where = findServers ? ['the servers of findServers'] : urls.map(redactUrl);
      throw new BrokerUnreachableError({ urls: where, ms, cause: this.#lastError });
    }
  }

  /** Closes within `ms` milliseconds, and leaves nothing open. The client's own close may never settle, against a frozen broker for one. */
  async close(ms: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const connected = this.#model !== undefined;
    this.#lose(undefined);
    if (!connected) this.#end.abort();
    if (this.#manager) await endedWithin(ms, this.#manager.close());
    this.#end.abort();
  }

  #connect(): void {
    const { urls, findServers, heartbeat, connect: socket, brokerTimeout: timeout } = this.#settings;
    // Without noDelay a confirm on a connection that also acknowledges takes 40 ms; without a timeout a mute broker hangs the manager for ever.
    const connectionOptions = { timeout, keepAlive: true, ...socket, noDelay: true };
    // Read for each attempt, and each time another: a socket leaves its listener on the signal for ever. The one before is ended, which
    // against a frozen broker is still open when its heartbeats are missed.
    Object.defineProperty(connectionOptions, 'signal', {
      enumerable: true,
      get: () => {
        this.#end.abort();
        return (this.#end = new AbortController()).signal;
      },
    });
    const manager = connect(findServers ? undefined : [...urls], {
      ...(findServers && { findServers: () => this.#answerOf(findServers) }),
      heartbeatIntervalInSeconds: heartbeat,
      connectionOptions,
    });
    this.#manager = manager;
    manager.on('connect', ({ connection, url }) => this.#rise(connection as unknown as ChannelModel, addressOf(url)));
    manager.on('connectFailed', ({ err, url }) => {
      const refused = refusal(err, addressOf(url));
      if (refused) this.emit('refused', refused);
      this.#retry(err);
    });
    manager.on('disconnect', ({ err }) => {
      this.#lose(err);
      this.#retry(err);
    });
    manager.on('blocked', ({ reason }) => this.emit('blocked', reason));
    manager.on('unblocked', () => this.emit('unblocked'));
    // Its promise is for the first result only; what comes of each attempt is told by the events above.
    manager.connect().catch(() => {});
  }

  /** An answer that does not come is a failed attempt; without this the manager would wait for it for ever, its own close too. */
  #answerOf(findServers: () => Promise<string | string[]>): Promise<string | string[]> {
    const { signal } = this.#end;
    const ended = signal.aborted ? [] : once(signal, 'abort').then(() => []);
    return withDeadline(Promise.race([findServers(), ended]), { operation: 'findServers', ms: this.#settings.brokerTimeout });
  }

  #rise(model: ChannelModel, url: string): void {
    if (this.#closed) return;
    this.#attempt = 0;
    this.#model = model;
    this.emit('up', { model, url });
  }

  #lose(error: Error | undefined): void {
    if (!this.#model && !this.#closed) return;
    this.#model = undefined;
    this.emit('down', error);
  }

  #retry(error: Error | undefined): void {
    if (!this.#manager) return;
    // The manager waits once more before it notices that it is closed, and so would the process.
    const delay = this.#closed ? 0 : this.#wait(++this.#attempt);
    this.#manager.reconnectTimeInSeconds = delay / 1_000;
    if (this.#closed) return;
    this.#lastError = error;
    this.emit('retry', { attempt: this.#attempt, delay, error });
  }
}

function addressOf(url: string | Options.Connect | undefined): string {
  return typeof url === 'string' ? url : (url?.hostname ?? 'the broker');
}
