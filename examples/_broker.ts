import { connect } from 'amqplib';
import type { Channel } from 'amqplib';
import type { ExecutionContext } from 'ava';

/** A channel of plain amqplib, as the articles' programs open it. */
export async function plainChannel(t: ExecutionContext, url: string): Promise<Channel> {
  const connection = await connect(url);
  t.teardown(() => connection.close());
  return connection.createChannel();
}

/** Resolves when no message is ready in any of the queues. */
export async function emptied(t: ExecutionContext, { url, queues }: { url: string; queues: readonly string[] }): Promise<void> {
  const channel = await plainChannel(t, url);
  const count = async (): Promise<number> => {
    const counts = await Promise.all(queues.map((queue) => channel.checkQueue(queue)));
    return counts.reduce((sum, { messageCount }) => sum + messageCount, 0);
  };
  while ((await count()) > 0);
}
