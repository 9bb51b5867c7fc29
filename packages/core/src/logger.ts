/** pino's shape: facts first, then the message. Any logger of that shape fits. */
export interface Logger {
  trace(facts: object, message: string): void;
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

const nothing = (): void => {};

/** The default: a library does not write to a program's output unasked. */
export const silentLogger: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** From the colon after the user to the last `@`; also where slashes are too few or too many, or the scheme is missing. */
const PASSWORD = /^([a-z][a-z0-9+.-]*:\/[^:]*|(?![a-z][a-z0-9+.-]*:\/)[^:]*):.*@/is;

/** The URL with its password hidden, for messages and logs. */
export function redactUrl(url: string): string {
  return url.replace(PASSWORD, '$1:***@').replace(/([?&]password=)[^&#]*/gi, '$1***');
}
