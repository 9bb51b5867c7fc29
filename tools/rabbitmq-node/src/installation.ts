import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/opt/rabbitmq/sbin', '/usr/local/opt/rabbitmq/sbin'];

/**
 * The folder of RabbitMQ's own scripts: `$RABBITMQ_HOME/sbin`, else where Debian and Homebrew put them; undefined when
 * RabbitMQ is not installed. Debian's wrappers in /usr/sbin will not do: they change to the user `rabbitmq` and its cookie.
 */
export function findRabbit(): string | undefined {
  const { RABBITMQ_HOME: home } = process.env;
  return [...(home ? [join(home, 'sbin')] : []), ...FOLDERS].find((folder) => existsSync(join(folder, 'rabbitmq-server')));
}
