// warren-plugin-audit: who published a job, and how it ended. A complete plugin; docs/writing-a-plugin.md walks through it.
import { hostname } from 'node:os';
import { InvalidOptionError, LOGGER, registerDefault, token } from '@warren/core';
import type { Consume, Job, Logger, Message, Outcome, Plugin, Publish, Token } from '@warren/core';

declare module '@warren/core' {
  interface HandlerOptions {
    /** What the handler does, in the audit trail's words. A handler without it leaves no trace. */
    audit?: string;
  }
  interface PublishOptions {
    /** Who asks for the job. Default: the plugin's `actor`. */
    actor?: string;
  }
}

export interface AuditOptions {
  /** Who publishes, where a publish does not say. Default: the machine's name. */
  actor?: string;
}

/** One run of an audited handler. */
export interface AuditEntry {
  readonly action: string;
  readonly actor: string;
  readonly messageId: string | undefined;
  readonly attempt: number;
  readonly outcome: Outcome['kind'];
}

/** Where entries go. */
export interface AuditTrail {
  add(entry: AuditEntry): void;
}

/** Register your own trail under it, and the plugin uses that. */
export const AUDIT_TRAIL: Token<AuditTrail> = token('audit-trail');

const ACTOR = 'x-audit-actor';

/** Keeps an audit trail, by default in the worker's log. Throws `ERR_INVALID_OPTION`. */
export default function audit({ actor = hostname() }: AuditOptions = {}): Plugin {
  if (typeof actor !== 'string' || actor === '') {
    throw new InvalidOptionError({ option: 'audit actor', expected: 'a name', got: actor });
  }
  return {
    name: 'audit',
    handlerOptions: ['audit'],
    publishOptions: ['actor'],
    register: (container) => registerDefault(container, AUDIT_TRAIL, loggedTrail(container.resolve(LOGGER))),
    consume: (next, { options }, container) =>
      options.audit === undefined ? next : audited(next, options.audit, container.resolve(AUDIT_TRAIL)),
    publish: (next) => signed(next, actor),
  };
}

function loggedTrail(logger: Logger): AuditTrail {
  return { add: (entry) => logger.info(entry, 'audit') };
}

/** The layer around a handler. It sees each outcome; a handler that throws has one too. */
function audited(next: Consume, action: string, trail: AuditTrail): Consume {
  return async (job) => {
    const outcome = await next(job);
    trail.add({ action, actor: actorOf(job), messageId: job.messageId, attempt: job.attempt, outcome: outcome.kind });
    return outcome;
  };
}

/** The layer around publishing. Copies, of retries for one, pass through it too: they keep the first actor. */
function signed(next: Publish, actor: string): Publish {
  return (message) => {
    const { properties, options } = message;
    const headers = { [ACTOR]: options.actor ?? actor, ...properties.headers };
    const copy: Message = { ...message, properties: { ...properties, headers } };
    return next(copy);
  };
}

/** Messages are untrusted: what is no text is not repeated. */
function actorOf(job: Job): string {
  const actor = job.headers[ACTOR];
  return typeof actor === 'string' ? actor.slice(0, 100) : 'unknown';
}
