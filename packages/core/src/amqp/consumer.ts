import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Clock } from '../clock.js';
import type { Consumer, ConsumerOptions } from '../connection.js';
import { ConsumerCancelledError } from '../errors.js';
import type { Delivery, MessageProperties } from '../message.js';
import { Acknowledgements } from './acknowledgements.js';
import { endedWithin, withDeadline } from './deadline.js';
import type { Link } from './link.js';
import { SupervisedChannel } from './supervised-channel.js';

class AmqpDelivery implements Delivery {
  readonly queue: string;
  readonly #message: ConsumeMessage;
  readonly #acknowledgements: Acknowledgements;

  constructor(queue: string, message: ConsumeMessage, acknowledgements: Acknowledgements) {
    this.queue = queue;
    this.#message = message;
    this.#acknowledgements = acknowledgements;
  }

  get exchange(): string {
    return this.#message.fields.exchange;
  }

  get routingKey(): string {
    return this.#message.fields.routingKey;
  }

  get redelivered(): boolean {
    return this.#message.fields.redelivered;
  }

  get content(): Buffer {
    return this.#message.content;
  }

  get properties(): MessageProperties {
    return this.#message.properties;
  }

  get lost(): boolean {
    return this.#acknowledgements.lost;
  }

  ack(): void {
    this.#acknowledgements.ack(this.#message.fields.deliveryTag);
  }

  requeue(): void {
    this.#acknowledgements.requeue(this.#message.fields.deliveryTag);
  }

  reject(): void {
    this.#acknowledgements.reject(this.#message.fields.deliveryTag);
  }
}

export interface ConsumerPlan {
  readonly link: Link;
  readonly clock: Clock;
  readonly options: ConsumerOptions;
  readonly timeout: number;
  readonly deliver: (delivery: Delivery) => void;
  /** Resolves when the topology is declared on the present connection; `again` asks for it to be declared once more. */
  readonly declared: (again: boolean) => Promise<void>;
  readonly fault: (error: Error) => void;
}

/** A queue's consumer, on a channel of its own. A closed channel and a cancelled consumer are repaired in the same way: by a new channel. */
export class AmqpConsumer implements Consumer {
  readonly #plan: ConsumerPlan;
  readonly #supervised: SupervisedChannel<Channel>;
  #acknowledgements: Acknowledgements | undefined;
  #tag: string | undefined;
  #stopping = false;
  #connectedTo: ChannelModel | undefined;

  constructor(plan: ConsumerPlan) {
    this.#plan = plan;
    const { link, clock, options, timeout, fault } = plan;
    this.#supervised = new SupervisedChannel<Channel>({
      link,
      clock,
      timeout,
      fault,
      what: `the consumer of queue "${options.queue}"`,
      open: (model) => model.createChannel(),
      setUp: (channel) => this.#setUp(channel),
      lost: (error) => this.#lose(error),
    });
  }

  start(): Promise<void> {
    return this.#supervised.open();
  }

  /** Deliveries that are under way when the broker stops still arrive; after `close` none does. */
  async cancel(): Promise<void> {
    const { channel } = this.#supervised;
    this.#stopping = true;
    this.#supervised.retire();
    if (channel && this.#tag !== undefined) await endedWithin(this.#plan.timeout, channel.cancel(this.#tag));
  }

  async close(ms: number): Promise<void> {
    this.#acknowledgements?.flush();
    await this.#supervised.close(ms);
  }

  async #setUp(channel: Channel): Promise<void> {
    const { link, options, timeout: ms } = this.#plan;
    const { queue, prefetch, channelPrefetch } = options;
    const within = <T>(call: Promise<T>): Promise<T> => withDeadline(call, { operation: `consume queue "${queue}"`, ms });
    // A channel that is opened again on the same connection: its queue may have gone.
    await this.#plan.declared(link.model === this.#connectedTo);
    this.#connectedTo = link.model;
    if (this.#stopping) return;
    await within(channel.prefetch(prefetch));
    if (channelPrefetch !== undefined) await within(channel.prefetch(channelPrefetch, true));
    const { consumerTag } = await within(
      channel.consume(queue, this.#receiver(channel), {
        ...(options.arguments && { arguments: options.arguments }),
        ...(options.exclusive && { exclusive: true }),
      }),
    );
    this.#tag = consumerTag;
    // Cancelled meanwhile. The channel stays: what it has delivered at once may be running, and is settled on it.
    if (this.#stopping) await within(channel.cancel(consumerTag));
  }

  /** What is unsettled on this channel ends with it, also if it ends before it counts as open. */
  #receiver(channel: Channel): (message: ConsumeMessage | null) => void {
    const { options, deliver } = this.#plan;
    const acknowledgements = new Acknowledgements(channel);
    this.#acknowledgements = acknowledgements;
    channel.once('close', () => acknowledgements.lose());
    return (message) => {
      if (!message) return this.#cancelled(channel);
      acknowledgements.delivered(message.fields.deliveryTag);
      deliver(new AmqpDelivery(options.queue, message, acknowledgements));
    };
  }

  /** The queue was deleted, its node went down, or a job outlived the consumer timeout: rabbitmq.com/docs/consumer-cancel. */
  #cancelled(channel: Channel): void {
    const { options, fault } = this.#plan;
    fault(new ConsumerCancelledError(options));
    this.#supervised.renew(channel);
  }

  #lose(error: Error | undefined): void {
    this.#tag = undefined;
    if (error) this.#plan.fault(error);
  }
}
