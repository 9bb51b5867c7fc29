import { randomBytes } from 'node:crypto';
import { startRabbit } from '@warren/rabbitmq-node';
import type { RabbitNode } from '@warren/rabbitmq-node';
import type { BreakableBroker } from './test-broker.js';

let node: Promise<RabbitNode> | undefined;

/** A new virtual host on the RabbitMQ of this test file, which is started at the first call and ends with the file. */
export async function onRabbit(): Promise<BreakableBroker> {
  node ??= startRabbit({ management: true });
  const rabbit = await node;
  const name = `test-${randomBytes(4).toString('hex')}`;
  await rabbit.eval(
    `ok = rabbit_vhost:add(<<"${name}">>, <<"guest">>),
     ok = rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"${name}">>, <<".*">>, <<".*">>, <<".*">>, <<"guest">>).`,
  );
  return new RabbitVirtualHost(rabbit, name);
}

/** Numbers come from rabbitmqctl: the management API's are half a second old. */
class RabbitVirtualHost implements BreakableBroker {
  readonly url: string;
  readonly port: number;
  readonly managementUrl: string;
  readonly #node: RabbitNode;
  readonly #name: string;

  constructor(rabbit: RabbitNode, name: string) {
    this.url = `${rabbit.url}/${name}`;
    this.port = rabbit.port;
    this.managementUrl = rabbit.managementUrl ?? '';
    this.#node = rabbit;
    this.#name = name;
  }

  async counts(queue: string): Promise<{ ready: number; unacked: number }> {
    const rows = await this.#list('-p', this.#name, 'list_queues', 'name', 'messages_ready', 'messages_unacknowledged');
    const [, ready, unacked] = rows.find(([name]) => name === queue) ?? [];
    return { ready: Number(ready), unacked: Number(unacked) };
  }

  async queues(): Promise<string[]> {
    return (await this.#list('-p', this.#name, 'list_queues', 'name')).map(([name = '']) => name);
  }

  async connections(): Promise<number> {
    return (await this.#list('list_connections', 'vhost')).filter(([vhost]) => vhost === this.#name).length;
  }

  closeConnections(): Promise<void> {
    return this.#node.closeConnections('closed by the test');
  }

  stop(): Promise<void> {
    return this.#node.stop();
  }

  kill(): Promise<void> {
    return this.#node.kill();
  }

  start(): Promise<void> {
    return this.#node.start();
  }

  async #list(...args: string[]): Promise<string[][]> {
    const rows = (await this.#node.ctl('--no-table-headers', ...args)).split('\n');
    return rows.filter(Boolean).map((row) => row.split('\t'));
  }
}
