import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import type { ConfirmChannel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { rabbitUrl } from '@warren/rabbitmq-node';

/** A plain AMQP client on the tests' broker, and a queue name of the test's own, whose queues are deleted after it. */
export async function broker(t: ExecutionContext): Promise<{ url: string; channel: ConfirmChannel; queue: string }> {
  const url = await rabbitUrl();
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

/** Publishes bodies to a queue, confirmed. */
export async function feed(channel: ConfirmChannel, queue: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
}

/** A handler module that waits as many milliseconds as the payload says. */
export function sleeper(queue: string): string {
  return `
    import { defineJob } from '@warren/core';
    const nap = defineJob<{ ms: number }>('nap', { queue: '${queue}' });
    export default (worker) => {
      worker.handle(nap, async ({ payload }) => {
        process.stderr.write('begun');
        await new Promise((resolve) => setTimeout(resolve, payload.ms));
      });
    };`;
}
