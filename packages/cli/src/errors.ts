// Every error of the command line. See core's errors.ts for the kinds; a ConfigurationError is exit code 2.
import { ConfigurationError, WorkerError } from '@warren/core';

interface Cause {
  readonly cause?: unknown;
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Where an error was thrown: the first frame of its stack that is a file of the user's. */
function placeOf(cause: unknown): string {
  const frames = cause instanceof Error ? (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  const frame = frames.find((line) => !/node:|node_modules/.test(line));
  return frame ? ` (${frame.trim()})` : '';
}

export class PluginNotFoundError extends ConfigurationError {
  readonly code = 'ERR_PLUGIN_NOT_FOUND';
  constructor(facts: { name: string; tried: readonly string[]; cwd: string }) {
    const isPath = facts.tried.length === 1;
    const advice = isPath ? 'Check the path.' : `Install it: npm install ${facts.tried[0]}`;
    super(`Plugin "${facts.name}" was not found from ${facts.cwd}. Tried: ${facts.tried.join(', ')}. ${advice}`);
  }
}

export class NotAPluginError extends ConfigurationError {
  readonly code = 'ERR_NOT_A_PLUGIN';
  constructor(facts: { name: string; file: string; got: string }) {
    super(
      `"${facts.name}" is no plugin: ${facts.file} has to default-export a function (options) => Plugin, whose result has a name; it exports ${facts.got}.`,
    );
  }
}

export class NoHandlersError extends ConfigurationError {
  readonly code = 'ERR_NO_HANDLERS';
  constructor(facts: { patterns: readonly string[]; cwd: string }) {
    super(
      `No handlers: no file matches ${facts.patterns.join(', ')} in ${facts.cwd}. Give --handlers './handlers/*.ts', or "handlers" in worker.config.`,
    );
  }
}

export class HandlerModuleError extends ConfigurationError {
  readonly code = 'ERR_HANDLER_MODULE';
  constructor(facts: { file: string; got: string }) {
    super(
      `${facts.file} is no handler module: it has to default-export (worker) => { worker.handle(…) }, or what handler(job, fn, options) made, or an array of those; it exports ${facts.got}.`,
    );
  }
}

export class ModuleLoadError extends ConfigurationError {
  readonly code = 'ERR_MODULE_LOAD';
  constructor(facts: { file: string } & Required<Cause>) {
    super(`${facts.file} could not be loaded: ${messageOf(facts.cause)}${placeOf(facts.cause)}`, facts);
  }
}

export class ConfigNotFoundError extends ConfigurationError {
  readonly code = 'ERR_CONFIG_NOT_FOUND';
  constructor(facts: { file: string }) {
    super(`There is no configuration file ${facts.file}. Check --config and --cwd.`);
  }
}

/** What yargs found wrong with the command line, or what only a command can find wrong with it. */
export class UsageError extends ConfigurationError {
  readonly code = 'ERR_USAGE';
}

export class ConfirmationNeededError extends ConfigurationError {
  readonly code = 'ERR_CONFIRMATION_NEEDED';
  constructor(facts: { loss: string }) {
    super(`${facts.loss} There is no undo. Without a terminal to ask on, give --yes to do it.`);
  }
}

export class UnknownJobNameError extends ConfigurationError {
  readonly code = 'ERR_JOB_NOT_FOUND';
  constructor(facts: { job: string; known: readonly string[] }) {
    super(
      `No handler module defines a job "${facts.job}". Known: ${facts.known.join(', ') || 'none'}. Give the modules with --handlers.`,
    );
  }
}

export class NotDeadLettersError extends ConfigurationError {
  readonly code = 'ERR_NOT_DEAD_LETTERS';
  constructor(facts: { queue: string; instead: string | undefined }) {
    const advice = facts.instead === undefined ? '' : ` Its dead letters are in "${facts.instead}".`;
    super(`"${facts.queue}" is no dead-letter queue: jobs wait in it.${advice}`);
  }
}

export class FileExistsError extends ConfigurationError {
  readonly code = 'ERR_FILE_EXISTS';
  constructor(facts: { file: string }) {
    super(`The file ${facts.file} exists already, and is kept: give another one.`);
  }
}

/** One dead letter that nobody knows where to send to. */
export class OriginUnknownError extends WorkerError {
  readonly code = 'ERR_ORIGIN_UNKNOWN';
  constructor(facts: { id: string | undefined; queue: string }) {
    super(
      `Nothing tells in which queue the message ${facts.id ?? 'without an id'} of "${facts.queue}" died: give one with --to.`,
    );
  }
}

export class TaskNotDeadError extends WorkerError {
  readonly code = 'ERR_TASK_NOT_DEAD';
  constructor(facts: { id: string; state: string }) {
    super(`Task "${facts.id}" is ${facts.state}: only a dead task is retried.`);
  }
}

export class DeadLetterMissingError extends WorkerError {
  readonly code = 'ERR_DEAD_LETTER_MISSING';
  constructor(facts: { id: string; queue: string }) {
    super(`The message of task "${facts.id}" is not in "${facts.queue}": it was replayed or purged. Enqueue the task again.`);
  }
}

export class TaskNotCancelledError extends WorkerError {
  readonly code = 'ERR_TASK_NOT_CANCELLED';
  constructor(facts: { id: string; state: string }) {
    super(`Task "${facts.id}" is ${facts.state}: only a task that has not begun, or waits for its next attempt, is cancelled.`);
  }
}

export class ScheduleNotFoundError extends ConfigurationError {
  readonly code = 'ERR_SCHEDULE_NOT_FOUND';
  constructor(facts: { name: string; known: readonly string[] }) {
    super(
      `No handler module defines a schedule "${facts.name}". Known: ${facts.known.join(', ') || 'none'}. Give the modules with --handlers.`,
    );
  }
}

/** The management API was asked for by its address and did not answer as it should. */
export class ManagementError extends WorkerError {
  readonly code = 'ERR_MANAGEMENT_API';
  constructor(facts: { url: string; reason: string } & Cause) {
    super(
      `The management API at ${facts.url} cannot be used: ${facts.reason}. Check --management-url, user and password, or leave it out.`,
      facts,
    );
  }
}

/** The embedded broker did not start: its own message and code. */
export class EmbeddedBrokerError extends ConfigurationError {
  readonly code: string;
  constructor(cause: Error & { readonly code: string }) {
    super(cause.message, { cause });
    this.code = cause.code;
  }
}

export class ProductionBrokerError extends ConfigurationError {
  readonly code = 'ERR_BROKER_PRODUCTION';
  constructor(facts: { flag: string }) {
    super(
      `The embedded broker is for development, and NODE_ENV is production: run RabbitMQ, or give ${facts.flag} if you mean it.`,
    );
  }
}
