// The reply codes of AMQP 0-9-1 (specification 1.1, "constants") and how far each one reaches.

const REPLIES = {
  CONTENT_TOO_LARGE: { code: 311, scope: 'channel' },
  NO_ROUTE: { code: 312, scope: 'channel' },
  NO_CONSUMERS: { code: 313, scope: 'channel' },
  CONNECTION_FORCED: { code: 320, scope: 'connection' },
  INVALID_PATH: { code: 402, scope: 'connection' },
  ACCESS_REFUSED: { code: 403, scope: 'channel' },
  NOT_FOUND: { code: 404, scope: 'channel' },
  RESOURCE_LOCKED: { code: 405, scope: 'channel' },
  PRECONDITION_FAILED: { code: 406, scope: 'channel' },
  FRAME_ERROR: { code: 501, scope: 'connection' },
  SYNTAX_ERROR: { code: 502, scope: 'connection' },
  COMMAND_INVALID: { code: 503, scope: 'connection' },
  CHANNEL_ERROR: { code: 504, scope: 'connection' },
  UNEXPECTED_FRAME: { code: 505, scope: 'connection' },
  RESOURCE_ERROR: { code: 506, scope: 'connection' },
  NOT_ALLOWED: { code: 530, scope: 'connection' },
  NOT_IMPLEMENTED: { code: 540, scope: 'connection' },
  INTERNAL_ERROR: { code: 541, scope: 'connection' },
} as const;

export type ReplyName = keyof typeof REPLIES;
export type ReplyScope = 'channel' | 'connection';

/** A refusal on the wire: it becomes `channel.close` or `connection.close` with RabbitMQ's form of text, `NAME - explanation`. */
export class AmqpError extends Error {
  override readonly name = 'AmqpError';
  readonly replyCode: number;
  readonly replyText: string;
  readonly scope: ReplyScope;

  constructor(
    readonly reply: ReplyName,
    explanation: string,
    scope: ReplyScope = REPLIES[reply].scope,
  ) {
    const text = `${reply} - ${explanation}`;
    super(text);
    this.replyCode = REPLIES[reply].code;
    this.replyText = text;
    this.scope = scope;
  }
}

/** The symbolic name of a reply code, for replies that a test chooses by number. */
export function replyName(code: number): ReplyName | undefined {
  return (Object.keys(REPLIES) as ReplyName[]).find((name) => REPLIES[name].code === code);
}

/** The numeric code of a reply. */
export function replyCode(name: ReplyName): number {
  return REPLIES[name].code;
}
