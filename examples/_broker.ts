import { connect } from 'amqplib';
import type { Channel } from 'amqplib';
import type { ExecutionContext } from 'ava';

/** A channel of plain amqplib, as the articles' programs open it. */
export async function plainChannel(t: ExecutionContext, url: string): Promise<Channel> {
  const connection = await connect(url);
  t.teardown(() => connection.close());
  return connection.createChannel();
}
