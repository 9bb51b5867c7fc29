import type { ServerProperties } from 'amqplib';
import { UnsupportedByBrokerError } from '../errors.js';

/** What differs between brokers, as far as Warren acts on it. */
export interface Capabilities {
  /** For messages: `RabbitMQ 3.10.8`. */
  readonly version: string;
  /** Whether a prefetch for a whole channel (`global`) is honoured; RabbitMQ 4.3 takes it for the prefetch of each consumer, in place of that. */
  readonly channelPrefetch: boolean;
  /** Whether a delivery that is given back counts towards a queue's delivery limit. */
  readonly requeueCounts: boolean;
  /** Whether an x-death header that a client sends is taken for the message's own journey. */
  readonly trustsClientDeaths: boolean;
  /** Whether quorum queues deliver messages of priority 5 and up first: rabbitmq.com/docs/quorum-queues#priorities. */
  readonly quorumPriorities: boolean;
  /** What a delivery unacknowledged beyond the consumer timeout leads to, by the queue's type. */
  readonly consumerTimeout: { readonly classic: 'channel' | 'none'; readonly quorum: 'channel' | 'cancel' };
  /** Bytes; a larger message closes the channel. */
  readonly maxMessageBytes: number;
}

type Row = Omit<Capabilities, 'version'>;

const RABBITMQ_3_10: Row = {
  channelPrefetch: true,
  requeueCounts: true,
  trustsClientDeaths: true,
  quorumPriorities: false,
  consumerTimeout: { classic: 'channel', quorum: 'channel' },
  maxMessageBytes: 128 * 2 ** 20,
};
const RABBITMQ_4_0: Row = { ...RABBITMQ_3_10, trustsClientDeaths: false, quorumPriorities: true, maxMessageBytes: 16 * 2 ** 20 };
const RABBITMQ_4_3: Row = {
  ...RABBITMQ_4_0,
  channelPrefetch: false,
  requeueCounts: false,
  consumerTimeout: { classic: 'none', quorum: 'cancel' },
};

/** From which version on a row holds; the newest first. */
const TABLE: ReadonlyArray<readonly [major: number, minor: number, row: Row]> = [
  [4, 3, RABBITMQ_4_3],
  [4, 0, RABBITMQ_4_0],
  [3, 10, RABBITMQ_3_10],
];

/** What a broker says of itself. The embedded one adds which series of RabbitMQ it behaves like. */
export type BrokerIdentity = Pick<ServerProperties, 'product' | 'version'> & { readonly compat?: unknown };

/** Reads the table by what a broker says of itself. Another product is taken for the oldest RabbitMQ, whose rules the others' clients also keep. */
export function capabilitiesOf(properties: BrokerIdentity): Capabilities {
  const version = `${properties.product} ${properties.version}`;
  if (properties.product !== 'RabbitMQ') {
    // The embedded one's quorum queues have no priorities in any series.
    return { version, ...(properties.compat === '4.x' ? RABBITMQ_4_3 : RABBITMQ_3_10), quorumPriorities: false };
  }
  const [major = 0, minor = 0] = properties.version.split('.').map(Number);
  const found = TABLE.find(([fromMajor, fromMinor]) => major > fromMajor || (major === fromMajor && minor >= fromMinor));
  if (!found) throw new UnsupportedByBrokerError({ feature: 'Warren', version, instead: 'RabbitMQ 3.10 or later' });
  return { version, ...found[2] };
}
