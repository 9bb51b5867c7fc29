/** What goes wrong outside the wire: when a broker is started or controlled. `code` is stable. */
export class BrokerError extends Error {
  override readonly name: string = 'BrokerError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An option whose value makes no sense. */
export class BrokerOptionError extends BrokerError {
  override readonly name = 'BrokerOptionError';

  constructor(option: string, expected: string, received: unknown) {
    super(
      'ERR_BROKER_OPTION',
      `Expected broker option "${option}" to be ${expected}, got ${JSON.stringify(received) ?? String(received)}.`,
    );
  }
}

/** Somebody else listens there already. */
export class AddressInUseError extends BrokerError {
  override readonly name = 'AddressInUseError';

  constructor(host: string, port: number, cause: unknown) {
    super('ERR_BROKER_ADDRESS_IN_USE', `Cannot listen on ${host}:${port}: the port is taken. Choose another one, or 0 for any.`, {
      cause,
    });
  }
}

/** An embedded broker in production has to be asked for. */
export class ProductionError extends BrokerError {
  override readonly name = 'ProductionError';

  constructor() {
    super(
      'ERR_BROKER_PRODUCTION',
      'The embedded broker does not start with NODE_ENV=production, where RabbitMQ is meant to run. Set `allowProduction: true` if you mean it.',
    );
  }
}

/** Durable data needs the package lmdb, which is optional. */
export class StoreUnavailableError extends BrokerError {
  override readonly name = 'StoreUnavailableError';

  constructor(directory: string, cause: unknown) {
    super(
      'ERR_BROKER_STORE',
      `Cannot open the store in "${directory}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** A control call about something that does not exist. */
export class NoSuchThingError extends BrokerError {
  override readonly name = 'NoSuchThingError';

  constructor(kind: string, name: string) {
    super('ERR_BROKER_NOT_FOUND', `There is no ${kind} "${name}".`);
  }
}

/** A state that was waited for did not come about in time. */
export class WaitTimeoutError extends BrokerError {
  override readonly name = 'WaitTimeoutError';

  constructor(what: string, milliseconds: number, last: unknown) {
    super(
      'ERR_BROKER_WAIT_TIMEOUT',
      `${what} did not come about within ${milliseconds} ms. The last state was ${JSON.stringify(last)}.`,
    );
  }
}

/** The broker has been closed, or its thread has ended. */
export class BrokerClosedError extends BrokerError {
  override readonly name = 'BrokerClosedError';

  constructor(cause?: unknown) {
    super('ERR_BROKER_CLOSED', 'The broker is closed.', { cause });
  }
}
