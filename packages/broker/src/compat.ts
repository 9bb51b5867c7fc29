// Where RabbitMQ's own versions differ in what a client can see. Measured on 3.10.8, 4.0.5 and 4.3.6, and read in
// https://www.rabbitmq.com/release-information (4.0 "breaking changes").

export type Compat = '3.x' | '4.x';

export interface Behaviour {
  /** The smallest frame size a client may ask for; also the largest frame before negotiation. */
  readonly frameMin: number;
  /** The largest message body, in octets. */
  readonly maxMessageSize: number;
  /** The delivery limit of a quorum queue that sets none; undefined is unlimited. */
  readonly defaultDeliveryLimit: number | undefined;
  /** Whether basic.nack with requeue counts towards the delivery limit, as basic.reject always does. */
  readonly nackCountsAsDelivery: boolean;
  /** The header that tells how often a quorum queue's message was handed out before, counted or not. */
  readonly acquiredCountHeader: boolean;
  /** Whether an `x-death` header that a client publishes is believed. */
  readonly trustsPublishedDeaths: boolean;
  /** Whether x-last-death-* headers are set and BCC keys are left out of x-death. */
  readonly lastDeathHeaders: boolean;
  /** Whether an unknown exchange type closes the connection, or only the channel. */
  readonly unknownExchangeTypeIsFatal: boolean;
  /** Whether basic.qos with global=true limits the channel as a whole; ignored otherwise. */
  readonly globalPrefetch: boolean;
  /** Whether a classic queue's consumer is held to the acknowledgement timeout. */
  readonly classicConsumerTimeout: boolean;
}

const MEBIBYTE = 1024 * 1024;

export const BEHAVIOURS: Readonly<Record<Compat, Behaviour>> = {
  '3.x': {
    frameMin: 4096,
    maxMessageSize: 128 * MEBIBYTE,
    defaultDeliveryLimit: undefined,
    nackCountsAsDelivery: true,
    acquiredCountHeader: false,
    trustsPublishedDeaths: true,
    lastDeathHeaders: false,
    unknownExchangeTypeIsFatal: true,
    globalPrefetch: true,
    classicConsumerTimeout: true,
  },
  '4.x': {
    frameMin: 8192,
    maxMessageSize: 16 * MEBIBYTE,
    defaultDeliveryLimit: 20,
    nackCountsAsDelivery: false,
    acquiredCountHeader: true,
    trustsPublishedDeaths: false,
    lastDeathHeaders: true,
    unknownExchangeTypeIsFatal: false,
    globalPrefetch: false,
    classicConsumerTimeout: false,
  },
};
