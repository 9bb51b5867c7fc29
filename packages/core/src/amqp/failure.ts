// What the client's errors mean. They carry the broker's reply code (AMQP 0-9-1, section 1.2) in `code`, and its text in the message.
import {
  AccessRefusedError,
  BrokerRefusedError,
  ChannelClosedError,
  ConnectionLostError,
  TopologyMismatchError,
  TopologyMissingError,
  WorkerError,
} from '../errors.js';
import { redactUrl } from '../logger.js';

const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const RESOURCE_LOCKED = 405;
const PRECONDITION_FAILED = 406;

/** The typed error for what went wrong with `what`, for example `Queue "mail"`. */
export function channelFailure(error: unknown, what: string): WorkerError {
  if (error instanceof WorkerError) return error;
  const reason = replyText(error);
  switch ((error as { code?: unknown } | undefined)?.code) {
    case ACCESS_REFUSED:
    case RESOURCE_LOCKED:
      return new AccessRefusedError({ what, reason, cause: error });
    case NOT_FOUND:
      return new TopologyMissingError({ what, reason, cause: error });
    case PRECONDITION_FAILED:
      return reason.includes('inequivalent arg')
        ? mismatch(what, reason, error)
        : new ChannelClosedError({ what, reason, cause: error });
    case undefined:
      return new ConnectionLostError({ cause: error });
    default:
      return new ChannelClosedError({ what, reason, cause: error });
  }
}

function mismatch(what: string, reason: string, cause: unknown): TopologyMismatchError {
  const [, argument, wanted, existing] = /inequivalent arg '(.+?)' for .*: received (.+) but current is (.+)$/.exec(reason) ?? [];
  if (argument === undefined || wanted === undefined || existing === undefined)
    return new TopologyMismatchError({ what, reason, cause });
  return new TopologyMismatchError({ what, argument, wanted, existing, reason, cause });
}

/** The broker's own words, out of the client's message. */
function replyText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /with message "([\s\S]*)"$/.exec(message)?.[1] ?? message;
}

/** An error of connecting that trying again will not cure, or undefined: a refused login or virtual host, or a certificate that is not accepted. */
export function refusal(error: Error & { code?: unknown }, url: string): BrokerRefusedError | undefined {
  const facts = { url: redactUrl(url), cause: error };
  if (/ACCESS.REFUSED/.test(error.message))
    return new BrokerRefusedError({ ...facts, reason: 'the login was refused (ACCESS_REFUSED)' });
  // The client hides the reason: all it says is that the answer to connection.open was a close.
  if (error.message.startsWith('Expected ConnectionOpenOk')) {
    return new BrokerRefusedError({ ...facts, reason: 'the virtual host does not exist, is down, or is not open to this user' });
  }
  if (typeof error.code === 'string' && /CERT|^ERR_TLS|^UNABLE_TO/.test(error.code)) {
    return new BrokerRefusedError({ ...facts, reason: `TLS failed (${error.code})` });
  }
  return undefined;
}
