import { randomBytes } from 'node:crypto';
import type { Field, FieldTable } from '../../src/amqp/field-table.js';
import { array, longstr, plainTable, textOf } from '../../src/amqp/fields.js';
import { Wire, type Received } from '../_wire.js';
import { EXCHANGES, QUEUES, type Operation } from './operations.js';

interface Outstanding {
  readonly tag: number;
  readonly body: string;
  readonly queue: string;
}

const int = (value: number): Field => ({ type: 'I', value });

/** A broker under test: does operations, and tells what came of them in a form that does not depend on chance. */
export class Subject {
  readonly #wire: Wire;
  readonly #suffix = `.${randomBytes(5).toString('hex')}`;
  readonly #existing = new Set<string>();
  #outstanding: Outstanding[] = [];
  #consumers: Array<{ tag: string; queue: string }> = [];
  #seen = 0;
  #published = 0;
  #lastConsumer = 0;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(url: string): Promise<Subject> {
    const subject = new Subject(await Wire.open(url));
    await subject.#wire.call(1, 'confirm.select', {});
    for (const type of EXCHANGES) await subject.#wire.call(1, 'exchange.declare', { exchange: subject.#name(type), type });
    for (const queue of QUEUES) await subject.#declare(queue);
    subject.#seen = subject.#wire.received.length;
    return subject;
  }

  async close(): Promise<void> {
    for (const exchange of EXCHANGES) await this.#wire.call(1, 'exchange.delete', { exchange: this.#name(exchange) });
    this.#wire.end();
  }

  /** Does something, waits until everything that it causes has come, and returns that. */
  async step(operation: Operation): Promise<string[]> {
    await this.#perform(operation);
    for (let round = 0; round < 3; round++) for (const queue of this.#existing) await this.#declare(queue);
    const received = this.#wire.received.slice(this.#seen);
    this.#seen = this.#wire.received.length;
    return this.#describe(received);
  }

  /** What is left in every queue. */
  async drain(): Promise<string[]> {
    const left: string[] = [];
    for (const queue of this.#existing)
      left.push(`${queue}:`, ...(await this.step({ do: 'get', queue, noAck: true })), ...(await this.#rest(queue)));
    return left;
  }

  async #rest(queue: string): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const got = await this.step({ do: 'get', queue, noAck: true });
      if (got.some((line) => line.includes('get-empty'))) return all;
      all.push(...got);
    }
  }

  // eslint-disable-next-line complexity -- one line per operation
  async #perform(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'publish':
        return this.#publish(operation);
      case 'get':
        return this.#get(operation.queue, operation.noAck);
      case 'settle':
        return this.#settle(operation.which, operation.how);
      case 'settle-all':
        return this.#settleAll(operation.how);
      case 'consume':
        return this.#consume(operation);
      case 'cancel':
        return this.#cancel(operation.which);
      case 'bind':
      case 'unbind':
        return this.#bind(operation);
      case 'purge':
        return this.#ifExists(operation.queue, () => this.#call('queue.purge', { queue: this.#name(operation.queue) }));
      case 'delete':
        return this.#delete(operation.queue);
      case 'declare':
        return this.#declare(operation.queue);
      case 'recover':
        this.#outstanding = [];
        return this.#call('basic.recover', { requeue: true });
      case 'reopen':
        return this.#reopen();
    }
  }

  #publish({ exchange, key, priority, expired, copy }: Extract<Operation, { do: 'publish' }>): void {
    const routingKey = exchange === '' || (QUEUES as readonly string[]).includes(key) ? this.#name(key) : key;
    const headers: FieldTable = new Map([['number', int(this.#published)]]);
    if (copy !== '') headers.set('CC', array([longstr(this.#name(copy))]));
    // RabbitMQ may hand out an expired message that was behind one of a higher priority; and of two queues, either may be first.
    const expires = expired && exchange === '' && key !== 'urgent' && copy === '';
    const expiration = expires ? { expiration: '0' } : {};
    const args = { exchange: exchange === '' ? '' : this.#name(exchange), routingKey, mandatory: true };
    this.#wire.publish(1, args, { headers, priority, ...expiration, body: String(this.#published++) });
  }

  async #get(queue: string, noAck: boolean): Promise<void> {
    await this.#ifExists(queue, async () => {
      this.#wire.send(1, 'basic.get', { queue: this.#name(queue), noAck });
      const got = await this.#wire.nextOf('basic.get-ok', 'basic.get-empty');
      if (got?.method.name !== 'basic.get-ok' || noAck) return;
      this.#outstanding.push({ tag: got.method.args.deliveryTag, body: String(got.body), queue });
    });
  }

  /** The tags differ between brokers, as deliveries of several queues may cross: the message decides. */
  #settle(which: number, how: Extract<Operation, { do: 'settle' }>['how']): void {
    const sorted = this.#outstanding.toSorted((a, b) => Number(a.body) - Number(b.body) || (a.queue < b.queue ? -1 : 1));
    const delivery = sorted[which % Math.max(sorted.length, 1)];
    if (delivery === undefined) return;
    this.#outstanding = this.#outstanding.filter((other) => other !== delivery);
    const deliveryTag = delivery.tag;
    if (how === 'ack') this.#wire.send(1, 'basic.ack', { deliveryTag });
    else if (how.startsWith('reject')) this.#wire.send(1, 'basic.reject', { deliveryTag, requeue: how === 'reject-requeue' });
    else this.#wire.send(1, 'basic.nack', { deliveryTag, requeue: how === 'requeue' });
  }

  #settleAll(how: Extract<Operation, { do: 'settle-all' }>['how']): void {
    // Queues of RabbitMQ work side by side: whose dead letters come first is not fixed.
    if (how === 'nack' && new Set(this.#outstanding.map(({ queue }) => queue)).size > 1) return;
    this.#outstanding = [];
    if (how === 'ack') this.#wire.send(1, 'basic.ack', { multiple: true });
    else this.#wire.send(1, 'basic.nack', { multiple: true, requeue: how === 'requeue' });
  }

  async #consume({ queue, noAck, prefetch }: Extract<Operation, { do: 'consume' }>): Promise<void> {
    await this.#ifExists(queue, async () => {
      const consumerTag = `${queue} ${++this.#lastConsumer}${noAck ? ' no-ack' : ''}`;
      this.#consumers.push({ tag: consumerTag, queue });
      await this.#call('basic.qos', { prefetchCount: prefetch });
      this.#wire.send(1, 'basic.consume', { queue: this.#name(queue), consumerTag, noAck });
      await this.#wire.nextOf('basic.consume-ok');
    });
  }

  async #cancel(which: number): Promise<void> {
    const consumer = this.#consumers[which % Math.max(this.#consumers.length, 1)];
    if (consumer === undefined) return;
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
    await this.#call('basic.cancel', { consumerTag: consumer.tag });
  }

  async #bind(operation: Extract<Operation, { do: 'bind' | 'unbind' }>): Promise<void> {
    const { queue, exchange, key } = operation;
    const match: FieldTable = new Map([['number', int(key.length)]]);
    const args = {
      queue: this.#name(queue),
      exchange: this.#name(exchange),
      routingKey: key,
      arguments: exchange === 'headers' ? match : new Map(),
    };
    await this.#ifExists(queue, () => this.#call(operation.do === 'bind' ? 'queue.bind' : 'queue.unbind', args));
  }

  async #delete(queue: string): Promise<void> {
    if (queue === 'dead') return;
    this.#existing.delete(queue);
    this.#consumers = this.#consumers.filter((consumer) => consumer.queue !== queue);
    await this.#call('queue.delete', { queue: this.#name(queue) });
  }

  async #declare(queue: string): Promise<void> {
    this.#existing.add(queue);
    const dead: FieldTable = new Map([
      ['x-dead-letter-exchange', longstr('')],
      ['x-dead-letter-routing-key', longstr(this.#name('dead'))],
    ]);
    const args: Record<string, FieldTable> = {
      short: new Map([...dead, ['x-max-length', int(3)]]),
      full: new Map<string, Field>([
        ['x-max-length', int(2)],
        ['x-overflow', longstr('reject-publish')],
      ]),
      urgent: new Map([['x-max-priority', int(3)]]),
      mortal: dead,
    };
    await this.#call('queue.declare', { queue: this.#name(queue), exclusive: true, arguments: args[queue] ?? new Map() });
  }

  /** A new channel: everything unsettled goes back, and consumers end. */
  async #reopen(): Promise<void> {
    this.#outstanding = [];
    this.#consumers = [];
    await this.#call('channel.close', {});
    await this.#call('channel.open', {});
    await this.#call('confirm.select', {});
  }

  async #ifExists(queue: string, act: () => Promise<void>): Promise<void> {
    if (this.#existing.has(queue)) await act();
  }

  async #call(name: Parameters<Wire['send']>[1], args: object): Promise<void> {
    this.#wire.send(1, name, args);
    const answer = name.replace(/^queue\.delete$/, 'queue.delete');
    await this.#wire.nextOf(`${answer}-ok` as 'queue.declare-ok', 'connection.close', 'channel.close');
  }

  #name(name: string): string {
    return name + this.#suffix;
  }

  /** Deliveries and returns in order within their queue; what is refused as a set, because confirms may be put together in any way. */
  #describe(received: readonly Received[]): string[] {
    const lines = new Map<string, string[]>();
    const add = (group: string, line: string): unknown => lines.set(group, [...(lines.get(group) ?? []), line]);
    for (const one of received) {
      const { method } = one;
      if (method.name === 'queue.declare-ok' || method.name === 'basic.ack') continue;
      if (method.name === 'basic.deliver') this.#deliver(one, method.args.consumerTag, add);
      else
        add(
          method.name,
          `${method.name} ${this.#content(one)} ${JSON.stringify(method.args, withoutChance)}`.replaceAll(this.#suffix, ''),
        );
    }
    // Consumers of a deleted queue are told in any order.
    lines.get('basic.cancel')?.sort();
    return [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, group]) => group);
  }

  #deliver(received: Received, consumerTag: string, add: (group: string, line: string) => unknown): void {
    const { method } = received;
    if (method.name !== 'basic.deliver') return;
    const [queue = ''] = consumerTag.split(' ');
    if (!consumerTag.endsWith('no-ack'))
      this.#outstanding.push({ tag: method.args.deliveryTag, body: String(received.body), queue });
    const { exchange, routingKey, redelivered } = method.args;
    add(
      `deliver ${queue}`,
      `deliver ${queue} ${exchange} ${routingKey} ${redelivered} ${this.#content(received)}`.replaceAll(this.#suffix, ''),
    );
  }

  /** The body and, of a dead letter, how it died. */
  #content({ body, properties }: Received): string {
    const field = properties?.headers?.get('x-death');
    const deaths = field?.type === 'A' ? field.value.flatMap((death) => (death.type === 'F' ? [death.value] : [])) : [];
    const described = deaths.map(
      (death) => `${textOf(death.get('queue'))} ${textOf(death.get('reason'))} ${String(plainTable(death)['count'])}`,
    );
    return `"${String(body ?? '')}" ${described.toSorted((a, b) => (a < b ? -1 : 1)).join(', ')}`.replaceAll(this.#suffix, '');
  }
}

// Tags depend on how deliveries of several queues cross, and RabbitMQ counts the expired messages of lower priorities late.
const CHANCE = new Set(['deliveryTag', 'multiple', 'messageCount']);

function withoutChance(key: string, value: unknown): unknown {
  return CHANCE.has(key) ? undefined : value;
}
