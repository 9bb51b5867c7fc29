import { HEADERS } from '@warren/core';
import type { ConfirmChannel, Options } from 'amqplib';

export interface Dead extends Options.Publish {
  readonly body?: string;
  /** The error's name. */
  readonly error?: string;
  readonly diedAt?: Date;
  /** The queue that it died in. */
  readonly origin?: string;
}

/** Puts dead letters into a queue as a worker writes them, confirmed; ids are given where there are none: `m0`, `m1` … */
export async function bury(channel: ConfirmChannel, queue: string, ...letters: readonly Dead[]): Promise<void> {
  for (const [
    index,
    { body = '{}', error = 'Error', diedAt = new Date(), origin, headers, ...properties },
  ] of letters.entries()) {
    channel.sendToQueue(queue, Buffer.from(body), {
      persistent: true,
      messageId: `m${index}`,
      ...properties,
      headers: {
        ...(headers as object | undefined),
        [HEADERS.errorName]: error,
        [HEADERS.errorMessage]: 'it failed',
        [HEADERS.attempt]: 3,
        [HEADERS.firstFailedAt]: diedAt.toISOString(),
        [HEADERS.diedAt]: diedAt.toISOString(),
        ...(origin !== undefined && { [HEADERS.queue]: origin }),
      },
    });
  }
  await channel.waitForConfirms();
}

/** Takes all that is ready in a queue. */
export async function take(
  channel: ConfirmChannel,
  queue: string,
): Promise<Array<{ id: unknown; headers: Record<string, unknown>; body: string }>> {
  const taken = [];
  for (let message = await channel.get(queue, { noAck: true }); message; message = await channel.get(queue, { noAck: true })) {
    taken.push({
      id: message.properties.messageId as unknown,
      headers: (message.properties.headers ?? {}) as Record<string, unknown>,
      body: message.content.toString(),
    });
  }
  return taken;
}
