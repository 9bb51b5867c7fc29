import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import type { ConfirmChannel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { brokerUrl } from '@warren/test-broker';

/** A plain AMQP client on the tests' broker, and a queue name of the test's own, whose queues are deleted after it. */
export async function broker(t: ExecutionContext): Promise<{ url: string; channel: ConfirmChannel; queue: string }> {
  const url = await brokerUrl();
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const queue = `cli-${randomUUID()}`;
  t.teardown(async () => {
    await channel.deleteQueue(queue);
    await channel.deleteQueue(`${queue}.dead`);
    await connection.close();
  });
  return { url, channel, queue };
}
