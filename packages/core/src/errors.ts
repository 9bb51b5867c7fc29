// Every error of core. Each has a stable code, takes facts and builds its own message: what was expected, what was got, what to do.
import { inspect } from 'node:util';

interface Cause {
  readonly cause?: unknown;
}

/** The base of all errors that Warren throws. */
export abstract class WorkerError extends Error {
  /** Stable, `ERR_…`: what programs compare. */
  abstract readonly code: string;

  constructor(message: string, { cause }: Cause = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** Of URLs, which may be texts in what is shown, or objects with a `password`. */
const PASSWORDS = /(?<=:\/\/[^:/@\s'"`]*:)[^\s'"`]*(?=@)|(?<=\bpassword: ')[^']*/g;

/** A value in an error message: one line, bounded, without passwords. */
function shown(value: unknown): string {
  const inspected = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 200, maxArrayLength: 10 });
  const text = inspected.replace(/\s*\n\s*/g, ' ').replace(PASSWORDS, '***');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

// ---------------------------------------------------------------- ConfigurationError: before connecting

/** The program or its settings are wrong; found before anything is connected. */
export abstract class ConfigurationError extends WorkerError {}

export class InvalidOptionError extends ConfigurationError {
  readonly code = 'ERR_INVALID_OPTION';
  constructor(facts: { option: string; expected: string; got: unknown }) {
    super(`${facts.option}: expected ${facts.expected}, got ${shown(facts.got)}.`);
  }
}

/** Plugins that are known to own an option, so that the error can say what to add. */
const KNOWN_OWNERS: Record<string, string> = {
  delay: '@warren/plugin-delay',
  at: '@warren/plugin-delay',
  rateLimit: '@warren/plugin-ratelimit',
  idempotencyKey: '@warren/plugin-idempotency',
  idempotency: '@warren/plugin-idempotency',
  key: '@warren/plugin-idempotency',
  task: '@warren/plugin-tasks',
  unique: '@warren/plugin-tasks',
  expiresIn: '@warren/plugin-tasks',
};

export class UnknownOptionError extends ConfigurationError {
  readonly code = 'ERR_UNKNOWN_OPTION';
  constructor(facts: { option: string; where: string; known: readonly string[] }) {
    const owner = KNOWN_OWNERS[facts.option];
    const advice = owner ? `It belongs to ${owner}: add that plugin to the worker.` : `Known here: ${facts.known.join(', ')}.`;
    super(`Unknown option "${facts.option}" in ${facts.where}. ${advice}`);
  }
}

export class OptionConflictError extends ConfigurationError {
  readonly code = 'ERR_OPTION_CONFLICT';
  constructor(facts: { option: string; owners: readonly [string, string] }) {
    super(`Option "${facts.option}" is claimed by "${facts.owners[0]}" and by "${facts.owners[1]}": use one of the two.`);
  }
}

export class DuplicatePluginError extends ConfigurationError {
  readonly code = 'ERR_PLUGIN_DUPLICATE';
  constructor(facts: { plugin: string }) {
    super(`Plugin "${facts.plugin}" is given twice: once is enough.`);
  }
}

export class MissingPluginError extends ConfigurationError {
  readonly code = 'ERR_PLUGIN_MISSING';
  constructor(facts: { plugin: string; dependsOn: string }) {
    super(`Plugin "${facts.plugin}" depends on plugin "${facts.dependsOn}", which is not there: add it to the worker's plugins.`);
  }
}

export class PluginCycleError extends ConfigurationError {
  readonly code = 'ERR_PLUGIN_CYCLE';
  constructor(facts: { plugins: readonly string[] }) {
    super(`Plugins depend on each other in a circle: ${facts.plugins.join(' → ')}.`);
  }
}

export class DuplicateHandlerError extends ConfigurationError {
  readonly code = 'ERR_HANDLER_DUPLICATE';
  constructor(facts: { job: string; queue: string }) {
    super(`Job "${facts.job}" has two handlers on queue "${facts.queue}": register one.`);
  }
}

export class TopologyConflictError extends ConfigurationError {
  readonly code = 'ERR_TOPOLOGY_CONFLICT';
  constructor(facts: { what: string; first: unknown; second: unknown }) {
    super(
      `${facts.what} is defined in two ways in this worker: ${shown(facts.first)} and ${shown(facts.second)}. Define it once and share the definition.`,
    );
  }
}

export class MissingInjectError extends ConfigurationError {
  readonly code = 'ERR_MISSING_INJECT';
  constructor(facts: { target: string; index: number }) {
    super(`Constructor parameter #${facts.index} of ${facts.target} has no @inject(TOKEN): give every parameter one.`);
  }
}

export class WorkerStateError extends ConfigurationError {
  readonly code = 'ERR_WORKER_STATE';
  constructor(facts: { action: string; state: string; advice: string }) {
    super(`Cannot ${facts.action}: the worker is ${facts.state}. ${facts.advice}`);
  }
}

// ---------------------------------------------------------------- BrokerError: by blast radius, widest first

/** The broker refused something or did not answer. */
export abstract class BrokerError extends WorkerError {}

export class BrokerUnreachableError extends BrokerError {
  readonly code = 'ERR_BROKER_UNREACHABLE';
  constructor(facts: { urls: readonly string[]; ms: number } & Cause) {
    const reason = facts.cause instanceof Error ? ` (${facts.cause.message})` : '';
    super(
      `No broker could be reached at ${facts.urls.join(', ')} within ${facts.ms} ms${reason}. Is RabbitMQ running there?`,
      facts,
    );
  }
}

export class BrokerRefusedError extends BrokerError {
  readonly code = 'ERR_BROKER_REFUSED';
  constructor(facts: { url: string; reason: string } & Cause) {
    super(`The broker at ${facts.url} refused the connection: ${facts.reason}. Check user, password and virtual host.`, facts);
  }
}

export class ConnectionLostError extends BrokerError {
  readonly code = 'ERR_CONNECTION_LOST';
  constructor(facts: Cause = {}) {
    super('The connection to the broker was lost.', facts);
  }
}

export class BrokerTimeoutError extends BrokerError {
  readonly code = 'ERR_BROKER_TIMEOUT';
  constructor(facts: { operation: string; ms: number }) {
    super(`The broker did not answer "${facts.operation}" within ${facts.ms} ms. It may be blocked, overloaded or frozen.`);
  }
}

export class UnsupportedByBrokerError extends BrokerError {
  readonly code = 'ERR_UNSUPPORTED_BY_BROKER';
  constructor(facts: { feature: string; version: string; instead: string }) {
    super(`${facts.feature} does not work on ${facts.version}. Use ${facts.instead}.`);
  }
}

export class AccessRefusedError extends BrokerError {
  readonly code = 'ERR_ACCESS_REFUSED';
  constructor(facts: { what: string; reason: string } & Cause) {
    super(`The broker does not allow ${facts.what}: ${facts.reason}. Grant the user the permission, or use another name.`, facts);
  }
}

export class TopologyMismatchError extends BrokerError {
  readonly code = 'ERR_TOPOLOGY_MISMATCH';
  constructor(readonly facts: { what: string; argument?: string; wanted?: string; existing?: string; reason: string } & Cause) {
    const difference = facts.argument
      ? `"${facts.argument}" is ${facts.existing} on the broker and ${facts.wanted} in this worker`
      : facts.reason;
    super(
      `${facts.what} exists with other arguments: ${difference}. Delete it, rename it, or define it as it is (or with declare: false).`,
      facts,
    );
  }
}

export class TopologyMissingError extends BrokerError {
  readonly code = 'ERR_TOPOLOGY_MISSING';
  constructor(facts: { what: string; reason: string } & Cause) {
    super(`${facts.what} does not exist on the broker: ${facts.reason}.`, facts);
  }
}

export class ChannelClosedError extends BrokerError {
  readonly code = 'ERR_CHANNEL_CLOSED';
  constructor(facts: { what: string; reason: string } & Cause) {
    super(`The broker closed the channel of ${facts.what}: ${facts.reason}.`, facts);
  }
}

/** What follows is a new consumer: the jobs that were running come again. */
export class ConsumerCancelledError extends BrokerError {
  readonly code = 'ERR_CONSUMER_CANCELLED';
  constructor(facts: { queue: string }) {
    super(
      `The broker cancelled the consumer of queue "${facts.queue}": the queue was deleted, its node went down, or a job was not ` +
        'settled within the consumer timeout (rabbitmq.com/docs/consumers#acknowledgement-timeout).',
    );
  }
}

export class PublishBufferFullError extends BrokerError {
  readonly code = 'ERR_PUBLISH_BUFFER_FULL';
  constructor(facts: { messages: number; bytes: number }) {
    super(
      `The publish buffer is full (${facts.messages} messages, ${facts.bytes} bytes unconfirmed). Publish more slowly, or raise publishBuffer.`,
    );
  }
}

export class PublishTimeoutError extends BrokerError {
  readonly code = 'ERR_PUBLISH_TIMEOUT';
  constructor(facts: { messageId: string; ms: number; sent: boolean }) {
    const fate = facts.sent
      ? 'It was sent, and the broker may have it: publish it again with the same messageId.'
      : 'It was not sent.';
    super(`Message ${facts.messageId} was not confirmed within ${facts.ms} ms. ${fate}`);
  }
}

export class PublishRefusedError extends BrokerError {
  readonly code = 'ERR_PUBLISH_REFUSED';
  constructor(facts: { exchange: string; routingKey: string }) {
    super(
      `The broker refused the message for exchange "${facts.exchange}", routing key "${facts.routingKey}": a queue it goes to is full or unavailable.`,
    );
  }
}

export class UnroutableError extends BrokerError {
  readonly code = 'ERR_UNROUTABLE';
  constructor(facts: { exchange: string; routingKey: string }) {
    super(
      `No queue takes a message for exchange "${facts.exchange}" with routing key "${facts.routingKey}". Declare and bind one, or publish with mandatory: false.`,
    );
  }
}

export class MessageInvalidError extends BrokerError {
  readonly code = 'ERR_MESSAGE_INVALID';
  constructor(facts: { exchange: string; routingKey: string } & Cause) {
    const reason = facts.cause instanceof Error ? facts.cause.message : String(facts.cause);
    super(
      `The message for exchange "${facts.exchange}", routing key "${facts.routingKey.slice(0, 64)}" cannot be sent: ${reason}.`,
      facts,
    );
  }
}

// ---------------------------------------------------------------- JobError: one message

/** One job failed. */
export abstract class JobError extends WorkerError {}

/** Thrown by a handler: no retry can help, dead-letter at once. */
export class UnrecoverableError extends JobError {
  readonly code: string = 'ERR_UNRECOVERABLE';
}

/** One thing that a schema found wrong. */
export interface PayloadIssue {
  readonly path: string;
  readonly message: string;
}

export class PayloadInvalidError extends UnrecoverableError {
  override readonly code = 'ERR_PAYLOAD_INVALID';
  readonly issues: readonly PayloadIssue[];
  constructor(facts: { job: string; issues: readonly PayloadIssue[] }) {
    const listed = facts.issues.slice(0, 5).map(({ path, message }) => (path ? `${path}: ${message}` : message));
    super(`The payload of job "${facts.job}" does not match its schema: ${listed.join('; ')}.`);
    this.issues = facts.issues;
  }
}

export class PayloadEncodingError extends UnrecoverableError {
  override readonly code = 'ERR_PAYLOAD_ENCODING';
  constructor(facts: { job: string; codec: string; expected: string; got: unknown } & Cause) {
    super(
      `The payload of job "${facts.job}" cannot be encoded as ${facts.codec}: expected ${facts.expected}, got ${shown(facts.got)}.`,
      facts,
    );
  }
}

export class PayloadDecodingError extends UnrecoverableError {
  override readonly code = 'ERR_PAYLOAD_DECODING';
  constructor(facts: { job: string; codec: string; reason: string } & Cause) {
    super(`The body of a message for job "${facts.job}" cannot be decoded as ${facts.codec}: ${facts.reason}.`, facts);
  }
}

export class PayloadTooLargeError extends UnrecoverableError {
  override readonly code = 'ERR_PAYLOAD_TOO_LARGE';
  constructor(facts: { job: string; bytes: number; max: number }) {
    super(`A message for job "${facts.job}" has ${facts.bytes} bytes; at most ${facts.max} are taken (maxPayloadBytes).`);
  }
}

export class UnknownJobError extends JobError {
  readonly code = 'ERR_UNKNOWN_JOB';
  constructor(facts: { type: string | undefined; queue: string; known: readonly string[] }) {
    const got = facts.type === undefined ? 'A message without a type' : `A message of type ${shown(facts.type)}`;
    super(`${got} arrived on queue "${facts.queue}", whose handlers are for: ${facts.known.join(', ')}.`);
  }
}

/** A plugin's layer returned nothing, or something else: the promise of `next(job)` that was not returned, for example. */
export class InvalidOutcomeError extends JobError {
  readonly code = 'ERR_OUTCOME_INVALID';
  constructor(facts: { queue: string; got: unknown }) {
    super(
      `The layers around a job of queue "${facts.queue}" returned ${shown(facts.got)}: expected an outcome. ` +
        'A layer of a plugin returns what next(job) returns, or another outcome.',
    );
  }
}

export class JobTimeoutError extends JobError {
  readonly code = 'ERR_JOB_TIMEOUT';
  constructor(facts: { job: string; ms: number }) {
    super(`Job "${facts.job}" did not finish within its timeout of ${facts.ms} ms.`);
  }
}

/** The reason of `job.signal` when the worker's stop deadline has passed. The job is given back, uncharged. */
export class JobAbortedError extends JobError {
  readonly code = 'ERR_JOB_ABORTED';
  constructor(facts: { job: string }) {
    super(`Job "${facts.job}" was still running at the worker's stop deadline.`);
  }
}
