import type { ConfirmChannel } from 'amqplib';

/** Publishes bodies to a queue, confirmed. */
export async function feed(channel: ConfirmChannel, queue: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
}
