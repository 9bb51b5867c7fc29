import type { ConfirmChannel, Message as AmqpMessage, Options } from 'amqplib';
import type { Clock } from '../clock.js';
import { ConnectionLostError, MessageInvalidError, PublishRefusedError, UnroutableError } from '../errors.js';
import type { Message } from '../message.js';
import type { Settings } from '../options.js';
import type { Link } from './link.js';
import { Outbox } from './outbox.js';
import type { Entry } from './outbox.js';
import { SupervisedChannel } from './supervised-channel.js';

export interface PublishPlan {
  readonly link: Link;
  readonly clock: Clock;
  readonly settings: Settings;
  /** Resolves when the topology is declared on the present connection. */
  readonly declared: () => Promise<void>;
  readonly fault: (error: Error) => void;
}

/**
 * Messages sent and not confirmed at a time. More is not faster: it only waits in sockets, where it can neither be timed out as unsent nor made anew.
 */
const IN_FLIGHT = 500;

/**
 * Publishing with confirms, through outages: what was in flight when the channel died is sent again under the same message id.
 * Where the broker closed the channel because of one message, those in flight are sent again one by one, so that only that one fails.
 */
export class PublishChannel {
  readonly #plan: PublishPlan;
  readonly #outbox: Outbox;
  readonly #supervised: SupervisedChannel<ConfirmChannel>;
  #blocked = false;
  /** How many are still to be sent one by one. */
  #suspects = 0;
  #maxBytes = Infinity;
  #closed = false;

  constructor(plan: PublishPlan) {
    const { link, clock, settings, fault } = plan;
    this.#plan = plan;
    this.#outbox = new Outbox(settings.publishBuffer);
    this.#supervised = new SupervisedChannel<ConfirmChannel>({
      link,
      clock,
      fault,
      what: 'publishing',
      timeout: settings.brokerTimeout,
      open: (model) => model.createConfirmChannel(),
      setUp: (channel) => this.#setUp(channel),
      lost: (error) => this.#lose(error),
    });
    link.on('blocked', () => (this.#blocked = true));
    link.on('unblocked', () => this.#resume());
    link.on('up', () => (this.#blocked = false));
  }

  /** `maxBytes`: the broker closes the channel on a larger message, and says so too late. */
  start(maxBytes: number): Promise<void> {
    this.#maxBytes = maxBytes;
    return this.#supervised.open();
  }

  publish(message: Message): Promise<void> {
    if (this.#closed) return Promise.reject(new ConnectionLostError());
    if (message.content.length > this.#maxBytes) {
      const cause = new RangeError(`it has ${message.content.length} bytes, and the broker takes at most ${this.#maxBytes}`);
      return Promise.reject(new MessageInvalidError({ ...message, cause }));
    }
    const confirmed = this.#outbox.add(message, message.options.timeout ?? this.#plan.settings.publishTimeout);
    this.#flush();
    return confirmed;
  }

  confirmed(): Promise<void> {
    return this.#outbox.empty();
  }

  /** Waits for what is unconfirmed, at most `ms` milliseconds; the rest is rejected. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#outbox.fail(new ConnectionLostError()), ms / 2);
    await this.#outbox.empty();
    clearTimeout(timer);
    await this.#supervised.close(ms / 2);
  }

  async #setUp(channel: ConfirmChannel): Promise<void> {
    channel.on('return', (returned) => this.#onReturn(returned));
    await this.#plan.declared();
    // The channel counts as open when this has resolved.
    setImmediate(() => this.#flush());
  }

  #resume(): void {
    this.#blocked = false;
    this.#flush();
  }

  #flush(): void {
    const { channel } = this.#supervised;
    if (!channel || this.#blocked) return;
    const window = this.#suspects > 0 ? 1 : IN_FLIGHT;
    for (let entry = this.#outbox.next(window); entry; entry = this.#outbox.next(window)) {
      if (!this.#send(channel, entry)) return;
    }
  }

  /** Hands a message to the client, whose buffer takes all that may be in flight. Returns whether it takes more. */
  #send(channel: ConfirmChannel, entry: Entry): boolean {
    const message = entry.message.atSending?.(entry.message) ?? entry.message;
    const { exchange, routingKey, content } = message;
    try {
      channel.publish(exchange, routingKey, content, publishOptions(message), (error) =>
        this.#onConfirm(entry, error as Error | null),
      );
    } catch (cause) {
      // The channel has closed and not said so yet: the entry stays among those that are sent again.
      if ((cause as Error).name === 'IllegalOperationError') return false;
      this.#settle(entry, new MessageInvalidError({ ...message, cause }));
    }
    return true;
  }

  /** The client answers each publish: with null, with `message nacked`, or with `channel closed`, after which `#lose` follows. */
  #onConfirm(entry: Entry, error: Error | null): void {
    const { message } = entry;
    if (error && error.message !== 'message nacked') return;
    if (error) this.#settle(entry, new PublishRefusedError(message));
    else this.#settle(entry, entry.returned ? new UnroutableError(message) : undefined);
    this.#flush();
  }

  #settle(entry: Entry, error?: Error): void {
    if (this.#suspects > 0) this.#suspects--;
    this.#outbox.settle(entry, error);
  }

  /** A return precedes the confirm of its message: rabbitmq.com/docs/confirms. */
  #onReturn({ fields, properties }: AmqpMessage): void {
    for (const entry of this.#outbox.sent) {
      const { messageId, message, returned } = entry;
      if (returned || messageId !== properties.messageId) continue;
      if (message.exchange !== fields.exchange || message.routingKey !== fields.routingKey) continue;
      entry.returned = true;
      return;
    }
  }

  #lose(error: Error | undefined): void {
    const [only, another] = this.#outbox.sent;
    // Alone on a channel that the broker closed: it is the one that the broker did not take.
    if (error && only && !another) this.#settle(only, error);
    const again = this.#outbox.resend();
    this.#suspects = error ? again : 0;
    if (error) this.#plan.fault(error);
  }
}

/** Written out: the same shape for every message is what makes the client's own code for it fast. */
function publishOptions({ properties, options }: Message): Options.Publish {
  return {
    mandatory: options.mandatory ?? true,
    persistent: properties.persistent,
    messageId: properties.messageId,
    type: properties.type,
    contentType: properties.contentType,
    contentEncoding: properties.contentEncoding,
    headers: properties.headers,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    priority: properties.priority,
    expiration: properties.expiration,
    timestamp: properties.timestamp,
    appId: properties.appId,
    userId: properties.userId,
  } as Options.Publish;
}
