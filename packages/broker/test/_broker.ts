import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { startBroker, type BrokerOptions, type EmbeddedBroker } from '../src/index.js';

/** A broker of the test's own, on a free port. */
export async function broker(t: ExecutionContext, options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const broker = await startBroker({ port: 0, ...options });
  t.teardown(() => broker.close());
  return broker;
}

export interface Client {
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Resolves with the error that the broker closes the channel with. */
  readonly channelError: Promise<Error & { code?: number }>;
  readonly connectionClosed: Promise<(Error & { code?: number }) | undefined>;
}

/** An amqplib client of a broker, with a channel in confirm mode. */
export async function client(t: ExecutionContext, url: string): Promise<Client> {
  const connection = await connect(url, { noDelay: true });
  connection.on('error', () => {});
  const connectionClosed = new Promise<Error | undefined>((resolve) => connection.once('close', resolve));
  t.teardown(() => connection.close().catch(() => {}));
  const channel = await connection.createConfirmChannel();
  const channelError = new Promise<Error>((resolve) => channel.once('error', resolve));
  return { connection, channel, channelError, connectionClosed };
}

/** Resolves when the broker has answered for a publish: true for an ack. */
export function publish(channel: ConfirmChannel, queue: string, body: string, options: object = {}): Promise<boolean> {
  return new Promise((resolve) => {
    channel.sendToQueue(queue, Buffer.from(body), options, (error) => resolve(error === null || error === undefined));
  });
}
