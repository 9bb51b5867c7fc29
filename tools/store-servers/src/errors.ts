type Code = 'ERR_REDIS_NOT_INSTALLED' | 'ERR_POSTGRES_NOT_INSTALLED' | 'ERR_SERVER_START' | 'ERR_SERVER_NOT_RUNNING';

/** What went wrong with a private server. */
export class ServerError extends Error {
  override readonly name: string = 'ServerError';
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function redisNotInstalled(): ServerError {
  const message =
    'Redis is not installed. Expected redis-server in PATH: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS).';
  return new ServerError('ERR_REDIS_NOT_INSTALLED', message);
}

export function postgresNotInstalled(): ServerError {
  const message =
    'PostgreSQL is not installed. Expected postgres and initdb in PATH or in /usr/lib/postgresql/*/bin: ' +
    'apt-get install postgresql (Debian, Ubuntu), brew install postgresql (macOS).';
  return new ServerError('ERR_POSTGRES_NOT_INSTALLED', message);
}

export function notRunning(name: string): ServerError {
  return new ServerError('ERR_SERVER_NOT_RUNNING', `${name} is not running: call start() first.`);
}

/** `output` is what the server has printed; its end is quoted. */
export function startFailed(name: string, reason: string, output: string): ServerError {
  const end = output.trimEnd().split('\n').slice(-25).join('\n');
  return new ServerError('ERR_SERVER_START', `${name} did not start: ${reason}.\n${end}`);
}
