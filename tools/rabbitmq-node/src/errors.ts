/** What went wrong with a private node: `ERR_RABBITMQ_NOT_INSTALLED`, `ERR_RABBITMQ_START`, `ERR_RABBITMQ_CTL`, `ERR_RABBITMQ_NOT_RUNNING`. */
export class RabbitError extends Error {
  override readonly name: string = 'RabbitError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function notInstalled(): RabbitError {
  return new RabbitError(
    'ERR_RABBITMQ_NOT_INSTALLED',
    'RabbitMQ is not installed. Expected the scripts of rabbitmq-server in $RABBITMQ_HOME/sbin or /usr/lib/rabbitmq/bin: ' +
      'apt-get install rabbitmq-server (Debian, Ubuntu), brew install rabbitmq (macOS).',
  );
}

export function notRunning(node: string): RabbitError {
  return new RabbitError('ERR_RABBITMQ_NOT_RUNNING', `The node ${node} is not running: call start() first.`);
}

/** `output` is what the node has printed; its end is quoted, because RabbitMQ leaves with code 0 when a boot fails. */
export function startFailed(reason: string, output: string): RabbitError {
  const end = output.trimEnd().split('\n').slice(-25).join('\n');
  return new RabbitError('ERR_RABBITMQ_START', `RabbitMQ did not start: ${reason}.\n${end}`);
}

export function ctlFailed(args: readonly string[], cause: unknown): RabbitError {
  const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).slice(0, 1_000) : '';
  return new RabbitError('ERR_RABBITMQ_CTL', `rabbitmqctl ${args.join(' ')} failed: ${stderr.trim()}`, { cause });
}
