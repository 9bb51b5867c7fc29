import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { RealClock, VirtualClock, type Clock } from './clock.js';
import { BEHAVIOURS, type Behaviour } from './compat.js';
import type { Faults } from './control/faults.js';
import { Listeners } from './listeners.js';
import type { ManagementServer } from './management/server.js';
import { Memory } from './memory.js';
import type { Settings } from './options.js';
import { DeadLetters } from './queue/dead-letters.js';
import { Connection } from './session/connection.js';
import { watchConsumers } from './session/consumer-timeout.js';
import type { HandshakeTerms } from './session/handshake.js';
import type { Limits, ReplyReceiver, SessionHost } from './session/session-host.js';
import type { Store } from './store/store.js';
import { VirtualHost } from './virtual-host.js';

const { version: VERSION } = createRequire(import.meta.url)('@warren/broker/package.json') as { version: string };

// RabbitMQ's own default (https://www.rabbitmq.com/docs/configure, frame_max).
const FRAME_MAX = 131_072;

export interface Ports {
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly managementPort: number | undefined;
}

/** The broker itself, on whatever thread it runs: its virtual hosts, its connections, and what they share. */
export class Broker implements SessionHost {
  readonly settings: Settings;
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly deadLetters: DeadLetters;
  readonly faults: Faults = { confirms: undefined, frozen: false };
  readonly limits: Limits;
  readonly replyReceivers: Map<string, ReplyReceiver> = new Map();
  readonly virtualHosts: Map<string, VirtualHost> = new Map();
  readonly connections: Set<Connection> = new Set();
  readonly version: string = VERSION;
  store: Store | undefined;
  #management: ManagementServer | undefined;
  readonly #listeners: Listeners;
  readonly #terms: HandshakeTerms;
  #consumerTimeout: { cancel(): void } | undefined;
  #lastQueueId = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.behaviour = BEHAVIOURS[settings.compat];
    this.limits = settings.limits;
    this.clock = settings.virtualClock ? new VirtualClock() : new RealClock();
    this.memory = new Memory(settings.memoryLimit, () => this.#alarmChanged());
    this.deadLetters = new DeadLetters(
      (name) => this.virtualHost(name),
      () => this,
    );
    this.#listeners = new Listeners((socket) => this.#accept(socket));
    this.#terms = this.#handshakeTerms();
    for (const name of settings.virtualHosts) this.virtualHosts.set(name, new VirtualHost(name, this));
  }

  /** A broker with what its store has kept. */
  static async open(settings: Settings): Promise<Broker> {
    const broker = new Broker(settings);
    if (settings.data !== undefined) {
      const { openStore } = await import('./store/open-store.js');
      await openStore(broker, settings.data);
    }
    return broker;
  }

  async listen(): Promise<Ports> {
    const { host, port, tls, managementPort, consumerTimeout } = this.settings;
    this.#consumerTimeout = watchConsumers(this, consumerTimeout);
    return {
      port: await this.#listeners.listen(host, port),
      tlsPort: tls && (await this.#listeners.listenTls(host, tls)),
      managementPort: managementPort === undefined ? undefined : await this.#listenForManagement(managementPort),
    };
  }

  virtualHost(name: string): VirtualHost {
    return this.virtualHosts.get(name) as VirtualHost;
  }

  /** A virtual host from the store may no longer be among the configured ones. */
  ensureVirtualHost(name: string): VirtualHost {
    const virtualHost = this.virtualHosts.get(name) ?? new VirtualHost(name, this);
    this.virtualHosts.set(name, virtualHost);
    return virtualHost;
  }

  nextQueueId(): number {
    return ++this.#lastQueueId;
  }

  queueIdsFrom(last: number): void {
    this.#lastQueueId = last;
  }

  /** The store cannot be written: nothing more can be promised to anybody. */
  fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    for (const connection of this.connections) connection.forceClose(`store failed: ${reason}`, 'INTERNAL_ERROR');
    void this.#listeners.close();
  }

  ended(connection: Connection): void {
    this.connections.delete(connection);
  }

  /** Tells every client that it is over, then waits until what was confirmed is on disk. */
  async close(): Promise<void> {
    this.#consumerTimeout?.cancel();
    const closed = this.#listeners.close();
    for (const connection of this.connections) connection.forceClose('broker is shutting down');
    const deadline = setTimeout(() => {
      for (const connection of this.connections) connection.abort();
    }, 1000);
    await closed;
    clearTimeout(deadline);
    await this.#management?.close();
    await this.store?.close();
  }

  authenticates(user: string, password: string): boolean {
    const { users } = this.settings;
    return Object.hasOwn(users, user) && users[user] === password;
  }

  async #listenForManagement(port: number): Promise<number> {
    // Loaded only when asked for, as HTTP takes a while.
    const { ManagementServer } = await import('./management/server.js');
    this.#management = new ManagementServer(this);
    return this.#management.listen(port);
  }

  #accept(socket: Socket): void {
    if (this.connections.size >= this.settings.maxConnections) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this, this.#terms);
    this.connections.add(connection);
    if (this.faults.frozen) connection.frozen = true;
  }

  /** Publishers go on in a turn of their own: the alarm may have ended in the middle of a queue's work. */
  #alarmChanged(): void {
    setImmediate(() => {
      if (this.memory.alarm !== undefined) return;
      for (const connection of this.connections) connection.unblock();
    });
  }

  #handshakeTerms(): HandshakeTerms {
    const { product, compat, maxChannels, heartbeat } = this.settings;
    return {
      product,
      version: VERSION,
      compat,
      channelMax: maxChannels,
      frameMax: FRAME_MAX,
      frameMin: this.behaviour.frameMin,
      heartbeat,
      authenticates: (user, password) => this.authenticates(user, password),
      hasVirtualHost: (name) => this.virtualHosts.has(name),
    };
  }
}
