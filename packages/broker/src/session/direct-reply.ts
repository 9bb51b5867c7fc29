import { randomBytes } from 'node:crypto';

// Direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to): replies that go to a channel without a queue.

/** The pseudo-queue to consume from and the reply_to to publish with. */
export const REPLY_TO = 'amq.rabbitmq.reply-to';
const PREFIX = `${REPLY_TO}.`;

export interface ReplyConsumer {
  readonly tag: string;
  readonly token: string;
}

export function replyToken(): string {
  return randomBytes(16).toString('base64url');
}

export function replyAddress(token: string): string {
  return PREFIX + token;
}

/** The token in a routing key or queue name that is a reply address; undefined for any other. */
export function tokenOf(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}
