import type { Channel, ChannelModel } from 'amqplib';
import type { Clock } from '../clock.js';
import type { Connection, Consumer, ConsumerOptions, QueueDepth } from '../connection.js';
import { ConnectionLostError } from '../errors.js';
import type { WorkerEvents } from '../events.js';
import type { Logger } from '../logger.js';
import type { Delivery, Message } from '../message.js';
import type { Settings } from '../options.js';
import type { Topology } from '../topology.js';
import { capabilitiesOf } from './capabilities.js';
import type { Capabilities } from './capabilities.js';
import { AmqpConsumer } from './consumer.js';
import { withDeadline } from './deadline.js';
import { declareParts } from './declare.js';
import type { Declaration } from './declare.js';
import { channelFailure } from './failure.js';
import { Gate } from './gate.js';
import { Link } from './link.js';
import { Outage } from './outage.js';
import { PublishChannel } from './publish-channel.js';

export interface ConnectionParts {
  readonly settings: Settings;
  readonly events: WorkerEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A worker's way to the broker: one connection for consuming and declaring, one for publishing. A broker that is short of memory
 * stops reading connections that publish, and with them their acknowledgements: rabbitmq.com/docs/connections#connection-blocked.
 */
export class AmqpConnection implements Connection {
  readonly #parts: ConnectionParts;
  readonly #consuming: Link;
  readonly #publishing: Link;
  readonly #publisher: PublishChannel;
  readonly #consumers: AmqpConsumer[] = [];
  readonly #outage: Outage;
  /** Shut while the consuming connection is down, or its topology not declared yet. */
  readonly #ready = new Gate();
  #declared: Declaration['declared'] = new WeakSet();
  #declaring: Promise<void> = Promise.resolve();
  #redeclaring: Promise<void> | undefined;
  /** What is declared again on every new connection. */
  readonly #topologies = new Set<Topology>();
  #capabilities: Capabilities | undefined;
  #closed = false;

  constructor(parts: ConnectionParts) {
    const { settings, clock, events, logger } = parts;
    this.#parts = parts;
    const consuming = new Link(settings);
    const publishing = new Link(settings);
    const declared = (): Promise<void> => this.#ready.passed;
    consuming.on('down', () => this.#closed || this.#ready.shut());
    consuming.on('up', () => void this.#declareAgain());
    this.#publisher = new PublishChannel({
      link: publishing,
      clock,
      settings,
      declared,
      fault: (error) => this.#fault('publishing', error),
    });
    this.#outage = new Outage({
      links: { consuming, publishing },
      events,
      logger,
      alarmAfter: settings.reconnect.alarmAfter,
      declared,
    });
    this.#consuming = consuming;
    this.#publishing = publishing;
  }

  get capabilities(): Capabilities {
    if (!this.#capabilities) throw new ConnectionLostError();
    return this.#capabilities;
  }

  async connect(): Promise<void> {
    await Promise.all([this.#consuming.open(), this.#publishing.open()]);
    this.#capabilities = capabilitiesOf(this.#model().connection.serverProperties);
    await this.#publisher.start(this.#capabilities.maxMessageBytes);
    this.#outage.begin(this.#capabilities.version);
  }

  async declare(topology: Topology): Promise<void> {
    await this.#throughOutages('declare', () => this.#declareMissing(topology));
    this.#topologies.add(topology);
  }

  async consume(options: ConsumerOptions, deliver: (delivery: Delivery) => void): Promise<Consumer> {
    const consumer = new AmqpConsumer({
      link: this.#consuming,
      clock: this.#parts.clock,
      timeout: this.#parts.settings.brokerTimeout,
      options,
      deliver,
      declared: (again) => (again ? this.#declareAgain() : this.#ready.passed),
      fault: (error) => this.#fault(`queue "${options.queue}"`, error),
    });
    this.#consumers.push(consumer);
    await this.#throughOutages(`consume queue "${options.queue}"`, () => consumer.start());
    return consumer;
  }

  publish(message: Message): Promise<void> {
    return this.#publisher.publish(message);
  }

  confirmed(): Promise<void> {
    return this.#publisher.confirmed();
  }

  async depth(queue: string): Promise<QueueDepth> {
    const ms = this.#parts.settings.brokerTimeout;
    let channel: Channel | undefined;
    try {
      channel = await withDeadline(this.#model().createChannel(), { operation: 'open a channel', ms });
      channel.on('error', () => {});
      const looking = channel.checkQueue(queue);
      const { messageCount, consumerCount } = await withDeadline(looking, { operation: `look at queue "${queue}"`, ms });
      return { ready: messageCount, consumers: consumerCount };
    } catch (error) {
      throw channelFailure(error, `Queue "${queue}"`);
    } finally {
      channel?.close().catch(() => {});
    }
  }

  async close(ms: number): Promise<void> {
    this.#outage.end();
    await Promise.all([this.#publisher.close(ms / 2), ...this.#consumers.map((consumer) => consumer.close(ms / 2))]);
    await Promise.all([this.#consuming.close(ms / 2), this.#publishing.close(ms / 2)]);
    this.#closed = true;
    // Who still waits for the topology hears that the connection is lost.
    this.#ready.open();
  }

  #model(): ChannelModel {
    const { model } = this.#consuming;
    if (!model) throw new ConnectionLostError();
    return model;
  }

  /**
   * Calls again when a connection that was lost in the call is back, within `publishTimeout` in all: a broker under load closes a
   * connection (541) where the members of a new quorum queue do not answer each other in time.
   */
  async #throughOutages(operation: string, call: () => Promise<void>): Promise<void> {
    const { clock, settings } = this.#parts;
    const deadline = clock.monotonic() + settings.publishTimeout;
    for (;;) {
      await withDeadline(this.#ready.passed, { operation, ms: Math.max(0, deadline - clock.monotonic()) });
      const { model } = this.#consuming;
      try {
        return await call();
      } catch (error) {
        const isOver = error instanceof ConnectionLostError && model !== undefined && this.#consuming.model !== model;
        if (!isOver || clock.monotonic() >= deadline) throw error;
      }
    }
  }

  /** Declares what has come to a topology since the last time; one call after the other. */
  #declareMissing(topology: Topology): Promise<void> {
    const { brokerTimeout: timeout } = this.#parts.settings;
    const declare = async (): Promise<void> => declareParts(this.#model(), { topology, declared: this.#declared, timeout });
    this.#declaring = this.#declaring.then(declare, declare);
    return this.#declaring;
  }

  /** Declares everything, on a new connection or because a queue has gone. What fails is a fault: the consumers that need it try again. */
  #declareAgain(): Promise<void> {
    this.#redeclaring ??= this.#redeclare().finally(() => (this.#redeclaring = undefined));
    return this.#redeclaring;
  }

  async #redeclare(): Promise<void> {
    this.#declared = new WeakSet();
    for (const topology of this.#topologies) {
      try {
        await this.#declareMissing(topology);
      } catch (error) {
        if (this.#consuming.model) this.#fault('declaring', error as Error);
      }
    }
    if (this.#consuming.model) this.#ready.open();
  }

  #fault(what: string, error: Error): void {
    this.#parts.logger.error({ err: error, what }, 'fault');
    this.#parts.events.emit('fault', { what, error });
  }
}
