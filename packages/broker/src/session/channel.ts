import { methodIds, type Arguments, type Method } from '../amqp/codec.js';
import { ContentAssembler } from '../amqp/content-assembler.js';
import { BODY_FRAME, HEADER_FRAME, type Frame } from '../amqp/frame-parser.js';
import type { Content } from '../amqp/frame-writer.js';
import type { MethodName } from '../amqp/methods.js';
import { AmqpError } from '../amqp/replies.js';
import type { ConfirmFault } from '../control/faults.js';
import type { Consumer, ConsumerChannel } from '../queue/consumer.js';
import { withDeliveryCount } from '../queue/delivery-count.js';
import type { Message } from '../queue/message.js';
import type { QueuedMessage } from '../queue/ready-list.js';
import type { VirtualHost } from '../virtual-host.js';
import type { Confirms, ConfirmChannel } from './confirms.js';
import type { Connection } from './connection.js';
import { Deliveries, type Delivery } from './deliveries.js';
import { handle } from './methods.js';
import { publish } from './publish.js';
import type { ReplyConsumer } from './direct-reply.js';
import type { SessionHost } from './session-host.js';
import { settle, settleByConsumer, type Settlement } from './settle.js';
import type { Transaction } from './transaction.js';

const PUBLISH_IDS = methodIds('basic.publish');
const EXPECTED_HEADER = 'content header for class 60, got non content header frame';

/** One channel: its consumers, what they have not settled, and its mode (specification 2.1.2). */
export class Channel implements ConsumerChannel, ConfirmChannel {
  readonly deliveries: Deliveries = new Deliveries();
  readonly consumers: Map<string, Consumer> = new Map();
  /** The queue that an empty name means. */
  lastQueue: string | undefined;
  /** For consumers to come; 0 is no limit. */
  prefetch = 0;
  /** For all consumers together; 0 is no limit. */
  channelPrefetch = 0;
  confirms: Confirms | undefined;
  transaction: Transaction | undefined;
  replyConsumer: ReplyConsumer | undefined;
  #closing = false;
  #publishing: Arguments<'basic.publish'> | undefined;
  #content: ContentAssembler | undefined;

  constructor(
    readonly number: number,
    readonly connection: Connection,
  ) {}

  get host(): SessionHost {
    return this.connection.host;
  }

  get virtualHost(): VirtualHost {
    return this.connection.virtualHost;
  }

  /** What a content frame is part of, for replies about it. */
  get contentIds(): { classId: number; methodId: number } | undefined {
    return this.#publishing && PUBLISH_IDS;
  }

  send<M extends MethodName>(name: M, args: Arguments<M>): void {
    this.connection.output.method(this.number, name, args);
  }

  sendMessage<M extends MethodName>(name: M, args: Arguments<M>, content: Content): void {
    this.connection.output.message(this.number, { name, args }, content);
  }

  method(method: Method): void {
    if (method.name === 'channel.close' || method.name === 'channel.close-ok') return this.#closedByClient(method.name);
    if (this.#closing) return undefined;
    if (this.#publishing !== undefined) throw unexpected(EXPECTED_HEADER);
    if (method.name !== 'basic.publish') return handle(this, method);
    this.#publishing = method.args;
    return undefined;
  }

  /** A content header or a part of a body. */
  content(frame: Frame): void {
    if (this.#closing) return;
    const { type, buffer, start, end } = frame;
    if (this.#publishing === undefined) throw unexpected('method frame, got non method frame');
    if (type === (this.#content === undefined ? BODY_FRAME : HEADER_FRAME)) {
      throw unexpected(this.#content === undefined ? EXPECTED_HEADER : 'content body, got non content body frame');
    }
    if (this.#content === undefined) this.#content = new ContentAssembler(buffer, start, end, this.host.limits.maxMessageSize);
    else this.#content.body(buffer, start, end);
    if (this.#content.complete) this.#published(this.#publishing, this.#content);
  }

  #published(args: Arguments<'basic.publish'>, content: ContentAssembler): void {
    publish(this, args, content);
    this.#publishing = undefined;
    this.#content = undefined;
  }

  hasRoom(consumer: Consumer): boolean {
    if (this.connection.output.congested) return false;
    return consumer.noAck || this.channelPrefetch === 0 || this.deliveries.consumed < this.channelPrefetch;
  }

  deliver(consumer: Consumer, queued: QueuedMessage): void {
    const { queue, noAck } = consumer;
    const deliveryTag = this.deliveries.nextTag();
    if (!noAck) this.deliveries.add({ tag: deliveryTag, queue, queued, consumer, since: this.host.clock.now() });
    const { exchange, routingKey } = queued.message;
    const content = withDeliveryCount(queue, queued, this.host.behaviour);
    this.sendMessage(
      'basic.deliver',
      { consumerTag: consumer.tag, deliveryTag, redelivered: queued.redelivered, exchange, routingKey },
      content,
    );
  }

  cancelled(consumer: Consumer): void {
    this.consumers.delete(consumer.tag);
    if (this.connection.has('consumer_cancel_notify')) this.send('basic.cancel', { consumerTag: consumer.tag, nowait: true });
  }

  receiveReply(message: Message): void {
    const consumerTag = this.replyConsumer?.tag ?? '';
    const { exchange, routingKey } = message;
    this.sendMessage(
      'basic.deliver',
      { consumerTag, deliveryTag: this.deliveries.nextTag(), redelivered: false, exchange, routingKey },
      message,
    );
  }

  /** Settles at once, or at the commit of a transaction. */
  settle(deliveries: readonly Delivery[], settlement: Settlement): void {
    const apply = (): void => {
      if (deliveries.length > 1 && settlement !== 'ack') settleByConsumer(deliveries, settlement);
      else settle(deliveries, settlement);
      if (this.channelPrefetch > 0) this.resumeDeliveries();
    };
    if (this.transaction === undefined) apply();
    else this.transaction.settle(deliveries, apply);
  }

  /** There may be room for its consumers again. */
  resumeDeliveries(): void {
    for (const consumer of this.consumers.values()) {
      consumer.queue.consumers.rejoin(consumer);
      consumer.queue.dispatch();
    }
  }

  get confirmFault(): ConfirmFault | undefined {
    return this.host.faults.confirms;
  }

  ack(deliveryTag: number, multiple: boolean): void {
    if (!this.#closing) this.send('basic.ack', { deliveryTag, multiple });
  }

  /** `requeue` means nothing here, and RabbitMQ sets it. */
  nack(deliveryTag: number, multiple: boolean): void {
    if (!this.#closing) this.send('basic.nack', { deliveryTag, multiple, requeue: true });
  }

  schedule(): void {
    this.connection.output.schedule();
  }

  /** Closes it because of an error; what follows is ignored until the client has said that it knows. */
  fail(error: AmqpError, ids: { classId: number; methodId: number }): void {
    this.stopConsuming();
    this.end();
    this.#publishing = undefined;
    this.#content = undefined;
    this.send('channel.close', { replyCode: error.replyCode, replyText: error.replyText, ...ids });
  }

  stopConsuming(): void {
    for (const consumer of this.consumers.values()) consumer.queue.consumers.remove(consumer);
  }

  /** Gives back what is unsettled. Its consumers have stopped. */
  end(): void {
    this.confirms?.flush();
    const consumers = [...this.consumers.values()];
    this.consumers.clear();
    if (this.replyConsumer !== undefined) this.host.replyReceivers.delete(this.replyConsumer.token);
    const unsettled = [...this.deliveries.takeAll(), ...(this.transaction?.rollback() ?? [])];
    settle(unsettled, 'requeue');
    for (const { queue } of consumers) this.virtualHost.lostConsumer(queue);
    this.#closing = true;
  }

  #closedByClient(name: 'channel.close' | 'channel.close-ok'): void {
    if (!this.#closing) {
      this.stopConsuming();
      this.end();
    }
    if (name === 'channel.close') this.send('channel.close-ok', {});
    this.connection.channels.remove(this.number);
  }
}

function unexpected(what: string): AmqpError {
  return new AmqpError('UNEXPECTED_FRAME', `expected ${what} instead`);
}
