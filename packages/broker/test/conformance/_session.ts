import { randomBytes } from 'node:crypto';
import type { MethodName } from '../../src/amqp/methods.js';
import { plainTable } from '../../src/amqp/fields.js';
import type { Properties } from '../../src/amqp/properties.js';
import { Wire, type HandshakeOptions, type Received, type Some } from '../_wire.js';

/** A case: does something to a broker. What the broker sends meanwhile is compared. */
export type Case = (session: Session) => Promise<void>;

/** A conversation with a broker whose transcript can be compared with that of the same conversation with another one. */
export class Session {
  readonly #url: string;
  readonly #suffix = `.${randomBytes(5).toString('hex')}`;
  readonly #wires: Wire[] = [];
  readonly #transcript: string[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Runs a case and returns what the broker sent. */
  static async transcript(url: string, run: Case): Promise<string[]> {
    const session = new Session(url);
    try {
      await run(session);
    } finally {
      for (const wire of session.#wires) wire.end();
    }
    return session.#transcript;
  }

  /** A name of this case's own. */
  name(base: string): string {
    return base + this.#suffix;
  }

  async connect(capabilities?: readonly string[]): Promise<Wire> {
    const wire = await Wire.open(this.#url, capabilities);
    this.#wires.push(wire);
    return wire;
  }

  /** Negotiates by hand, and notes what the broker says last. */
  async handshake(options: HandshakeOptions): Promise<void> {
    const wire = new Wire(Number(new URL(this.#url).port));
    this.#wires.push(wire);
    this.note(await wire.handshake(options));
  }

  /** Sends a method and notes the answer. */
  async call<M extends MethodName>(wire: Wire, name: M, args: Some<M>, channel = 1): Promise<Received | undefined> {
    return this.note(await wire.call(channel, name, args));
  }

  /** Notes so many things that the broker sends of its own accord. */
  async expect(wire: Wire, count: number): Promise<Received[]> {
    const all: Received[] = [];
    for (let i = 0; i < count; i++) {
      const received = this.note(await wire.next());
      if (received) all.push(received);
    }
    return all;
  }

  /** Publishes to a queue by the default exchange. */
  publish(wire: Wire, routingKey: string, message: Properties & { body?: string } = {}): void {
    wire.publish(1, { routingKey }, message);
  }

  /** Notes that nothing more has come up to now. */
  async sync(wire: Wire): Promise<void> {
    await this.call(wire, 'basic.qos', {});
  }

  note(received: Received | undefined): Received | undefined {
    this.#transcript.push(this.#describe(received));
    return received;
  }

  #describe(received: Received | undefined): string {
    if (received === undefined) return 'end of the connection';
    const { channel, method, properties, body } = received;
    const facts = {
      channel,
      ...method.args,
      ...(properties && { properties: describeProperties(properties) }),
      ...(body && { body: body.toString() }),
    };
    return `${method.name} ${JSON.stringify(facts, plainly)}`
      .replaceAll(this.#suffix, '')
      .replaceAll(/amq\.(ctag|gen)-[\w-]{22}/g, 'amq.$1');
  }
}

function describeProperties({ headers, ...others }: Properties): object {
  if (headers === undefined) return others;
  const plain = plainTable(headers);
  // The time of a death is the one thing that cannot be the same.
  if (Array.isArray(plain['x-death'])) plain['x-death'] = (plain['x-death'] as object[]).map((death) => ({ ...death, time: 0 }));
  return { ...others, headers: Object.fromEntries(Object.entries(plain).toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

function plainly(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Map ? plainTable(value) : value;
}
