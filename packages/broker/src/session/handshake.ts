import type { Arguments, Method } from '../amqp/codec.js';
import type { FieldTable } from '../amqp/field-table.js';
import { readTable } from '../amqp/field-table.js';
import { bool, longstr, textOf } from '../amqp/fields.js';
import { Reader } from '../amqp/reader.js';
import { AmqpError } from '../amqp/replies.js';
import type { Output } from './output.js';

// Negotiation, from the protocol header to connection.open (specification 2.2.4; https://www.rabbitmq.com/docs/access-control).

/** What the broker says of itself and allows. */
export interface HandshakeTerms {
  readonly product: string;
  readonly version: string;
  /** The RabbitMQ series whose behaviour is shown. */
  readonly compat: string;
  readonly channelMax: number;
  readonly frameMax: number;
  readonly frameMin: number;
  /** Seconds; 0 is none. */
  readonly heartbeat: number;
  authenticates(user: string, password: string): boolean;
  hasVirtualHost(name: string): boolean;
}

/** What was agreed on. */
export interface Agreement {
  user: string;
  virtualHost: string;
  channelMax: number;
  frameMax: number;
  heartbeat: number;
  clientProperties: FieldTable;
  /** Names of capabilities that the client has. */
  capabilities: ReadonlySet<string>;
}

const CAPABILITIES = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'consumer_priorities',
  'authentication_failure_close',
  'per_consumer_qos',
  'direct_reply_to',
];

export class Handshake {
  readonly agreement: Agreement;
  readonly #terms: HandshakeTerms;
  readonly #output: Output;
  readonly #abort: () => void;
  #expected: 'connection.start-ok' | 'connection.tune-ok' | 'connection.open' = 'connection.start-ok';

  /** `abort` ends a connection without a word, as RabbitMQ does with clients that do not follow the protocol. */
  constructor(terms: HandshakeTerms, output: Output, abort: () => void) {
    this.#terms = terms;
    this.#output = output;
    this.#abort = abort;
    const { channelMax, frameMin: frameMax, heartbeat } = terms;
    this.agreement = {
      user: '',
      virtualHost: '/',
      channelMax,
      frameMax,
      heartbeat,
      clientProperties: new Map(),
      capabilities: new Set(),
    };
  }

  start(): void {
    const { product, version, compat } = this.#terms;
    const serverProperties: FieldTable = new Map([
      ['capabilities', { type: 'F', value: new Map(CAPABILITIES.map((name) => [name, bool(true)])) }],
      ['product', longstr(product)],
      ['version', longstr(version)],
      ['compat', longstr(compat)],
      ['platform', longstr(`Node.js ${process.version}`)],
      ['cluster_name', longstr('warren@localhost')],
      ['copyright', longstr('MIT License')],
    ]);
    const [mechanisms, locales] = [Buffer.from('PLAIN AMQPLAIN'), Buffer.from('en_US')];
    this.#output.method(0, 'connection.start', { versionMajor: 0, versionMinor: 9, serverProperties, mechanisms, locales });
  }

  /** Takes the client's next method; true when the connection is open. */
  accept(method: Method): boolean {
    if (method.name !== this.#expected) {
      this.#abort();
    } else if (method.name === 'connection.start-ok') {
      this.#startOk(method.args);
    } else if (method.name === 'connection.tune-ok') {
      this.#tuneOk(method.args);
    } else {
      this.#open(method.args);
      return true;
    }
    return false;
  }

  #startOk({ clientProperties, mechanism, response }: Arguments<'connection.start-ok'>): void {
    const capabilities = clientProperties.get('capabilities');
    const named = capabilities?.type === 'F' ? [...capabilities.value].filter(([, field]) => field.value === true) : [];
    this.agreement.clientProperties = clientProperties;
    this.agreement.capabilities = new Set(named.map(([name]) => name));
    const login = readLogin(mechanism, response);
    if (login === undefined || !this.#terms.authenticates(login.user, login.password)) return this.#refuseLogin(mechanism);
    this.agreement.user = login.user;
    this.#expected = 'connection.tune-ok';
    const { channelMax, frameMax, heartbeat } = this.#terms;
    return this.#output.method(0, 'connection.tune', { channelMax, frameMax, heartbeat });
  }

  /** https://www.rabbitmq.com/docs/auth-notification: told only to clients that say they understand. */
  #refuseLogin(mechanism: string): void {
    if (!this.agreement.capabilities.has('authentication_failure_close')) return this.#abort();
    throw new AmqpError(
      'ACCESS_REFUSED',
      `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
      'connection',
    );
  }

  #tuneOk({ channelMax, frameMax, heartbeat }: Arguments<'connection.tune-ok'>): void {
    const terms = this.#terms;
    if (
      isAbove(channelMax, terms.channelMax) ||
      isAbove(frameMax, terms.frameMax) ||
      (frameMax > 0 && frameMax < terms.frameMin)
    ) {
      return this.#abort();
    }
    Object.assign(this.agreement, { channelMax, frameMax, heartbeat });
    this.#expected = 'connection.open';
    return undefined;
  }

  #open({ virtualHost }: Arguments<'connection.open'>): void {
    if (!this.#terms.hasVirtualHost(virtualHost)) throw new AmqpError('NOT_ALLOWED', `vhost ${virtualHost} not found`);
    this.agreement.virtualHost = virtualHost;
    this.#output.method(0, 'connection.open-ok', {});
  }
}

/** 0 is no limit, for either side. */
function isAbove(value: number, limit: number): boolean {
  return limit !== 0 && (value === 0 || value > limit);
}

interface Login {
  readonly user: string;
  readonly password: string;
}

/** Undefined for a mechanism that is not offered, EXTERNAL among them, and for a response that makes no sense. */
function readLogin(mechanism: string, response: Buffer): Login | undefined {
  if (mechanism === 'PLAIN') {
    // authorization id, NUL, user, NUL, password (RFC 4616).
    const [, user, password] = response.toString().split('\0');
    return user === undefined || password === undefined ? undefined : { user, password };
  }
  if (mechanism !== 'AMQPLAIN') return undefined;
  // A table without its length.
  const length = Buffer.alloc(4);
  length.writeUInt32BE(response.length);
  const table = readTable(new Reader(Buffer.concat([length, response])));
  const [user, password] = [textOf(table.get('LOGIN')), textOf(table.get('PASSWORD'))];
  return user === undefined || password === undefined ? undefined : { user, password };
}
