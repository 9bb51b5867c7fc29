import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import type { Channel } from 'amqplib';
import type { ExecutionContext } from 'ava';
import { startRabbit } from '@warren/rabbitmq-node';
import type { RabbitNode } from '@warren/rabbitmq-node';

let node: Promise<RabbitNode> | undefined;

/** The RabbitMQ of this test file: started at the first call, ended with the file. */
export function ownNode(): Promise<RabbitNode> {
  node ??= startRabbit();
  return node;
}

/** The URL of a new virtual host, where a test has the articles' queue and exchange names to itself. */
export async function virtualHost(): Promise<string> {
  const broker = await ownNode();
  const name = `example-${randomBytes(4).toString('hex')}`;
  await broker.eval(
    `ok = rabbit_vhost:add(<<"${name}">>, <<"guest">>),
     ok = rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"${name}">>, <<".*">>, <<".*">>, <<".*">>, <<"guest">>).`,
  );
  return `${broker.url}/${name}`;
}

/** Ready and unacknowledged messages of a queue, as the broker counts them. */
export async function counts(url: string, queue: string): Promise<{ ready: number; unacked: number }> {
  const vhost = new URL(url).pathname.slice(1) || '/';
  const broker = await ownNode();
  const listed = await broker.ctl('-p', vhost, 'list_queues', 'name', 'messages_ready', 'messages_unacknowledged');
  const rows = listed.split('\n').map((line) => line.split('\t'));
  const [, ready, unacked] = rows.find(([name]) => name === queue) ?? [];
  return { ready: Number(ready), unacked: Number(unacked) };
}

/** A channel of plain amqplib, as the articles' programs open it. */
export async function plainChannel(t: ExecutionContext, url: string): Promise<Channel> {
  const connection = await connect(url);
  t.teardown(() => connection.close());
  return connection.createChannel();
}

/** The broker closes every connection, in all virtual hosts. */
export async function closeConnections(): Promise<void> {
  await (await ownNode()).ctl('close_all_connections', '--global', 'closed by the test');
}
