// What no retry cures: start() fails with an error that names what was refused and why, soon, and leaves nothing behind.
import { createServer, connect as dial } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import anyTest from 'ava';
import type { ExecutionContext } from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { BrokerError, defineJob } from '../../src/index.js';
import type { JobType, Worker } from '../../src/index.js';
import { childOn, connections, jobOn, outsider, ownNode, record, until, workerOn } from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

/** The node's address, through something that counts connections. */
async function counted(t: ExecutionContext): Promise<{ url: URL; count: () => number }> {
  const node = await ownNode();
  let count = 0;
  const server = createServer((client) => {
    count++;
    const upstream = dial(node.port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = new URL(node.url);
  url.port = String((server.address() as AddressInfo).port);
  return { url, count: () => count };
}

interface Refusal {
  readonly code: string;
  readonly says: RegExp;
}

/** start() fails with this error, in less than its time, without trying again, and no connection is left. */
async function refused(t: ExecutionContext, worker: Worker, { code, says }: Refusal): Promise<void> {
  const seen = record(worker);
  const from = performance.now();
  const error = await t.throwsAsync(worker.start(), { code, message: says });
  t.true(error instanceof BrokerError);
  t.true(performance.now() - from < 4_000);
  t.notRegex(error?.message ?? '', /secret/, 'no password');
  t.deepEqual(
    seen
      .of('connected')
      .map(({ reconnected }) => reconnected)
      .filter(Boolean),
    [],
  );
  t.is(worker.state, 'stopped');
  const node = await ownNode();
  await until(async () => (await connections(node)).length === 0);
}

test('A wrong password is a refused login, tried once by each of the two connections.', async (t) => {
  const { url, count } = await counted(t);
  url.password = 'secret';
  await refused(t, workerOn(t, url.href), { code: 'ERR_BROKER_REFUSED', says: /login was refused.*Check user, password/ });
  const attempts = count();
  t.true(attempts <= 2, `${attempts} attempts`);
  await (await ownNode()).ctl('status');
  t.is(count(), attempts, 'no login storm');
});

test('A virtual host that does not exist is named.', async (t) => {
  const { url, count } = await counted(t);
  url.pathname = '/nowhere';
  await refused(t, workerOn(t, url.href), { code: 'ERR_BROKER_REFUSED', says: /nowhere.*virtual host/ });
  t.true(count() <= 2);
});

test('A virtual host that is not open to the user is refused.', async (t) => {
  const node = await ownNode();
  const { url } = await counted(t);
  await node.ctl('add_user', 'stranger', 'secret');
  t.teardown(() => node.ctl('delete_user', 'stranger'));
  [url.username, url.password] = ['stranger', 'secret'];
  await refused(t, workerOn(t, url.href), { code: 'ERR_BROKER_REFUSED', says: /virtual host/ });
});

test('A virtual host that is down is refused.', async (t) => {
  const node = await ownNode();
  const { url } = await counted(t);
  await node.ctl('add_vhost', 'resting');
  t.teardown(() => node.ctl('delete_vhost', 'resting'));
  await node.ctl('set_permissions', '-p', 'resting', 'guest', '.*', '.*', '.*');
  await node.eval('rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"resting">>).');
  url.pathname = '/resting';
  await refused(t, workerOn(t, url.href), { code: 'ERR_BROKER_REFUSED', says: /virtual host/ });
});

test('A queue that the user may not configure is named (403).', async (t) => {
  const node = await ownNode();
  const { url } = await counted(t);
  await node.ctl('add_user', 'reader', 'secret');
  t.teardown(() => node.ctl('delete_user', 'reader'));
  await node.ctl('set_permissions', 'reader', '^$', '.*', '.*');
  [url.username, url.password] = ['reader', 'secret'];
  const job = jobOn();
  const worker = workerOn(t, url.href).handle(job, () => {});
  await refused(t, worker, { code: 'ERR_ACCESS_REFUSED', says: new RegExp(job.queue.name) });
});

test('A queue that the user may not read is named (403).', async (t) => {
  const node = await ownNode();
  const { url } = await counted(t);
  await node.ctl('add_user', 'writer', 'secret');
  t.teardown(() => node.ctl('delete_user', 'writer'));
  await node.ctl('set_permissions', 'writer', '.*', '.*', '^$');
  [url.username, url.password] = ['writer', 'secret'];
  const job = jobOn();
  const worker = workerOn(t, url.href).handle(job, () => {});
  await refused(t, worker, { code: 'ERR_ACCESS_REFUSED', says: new RegExp(job.queue.name) });
});

test('A queue that somebody else has to declare, and has not, is named (404).', async (t) => {
  const { url } = await counted(t);
  const job = jobOn({ declare: false });
  const worker = workerOn(t, url.href).handle(job, () => {});
  await refused(t, worker, { code: 'ERR_TOPOLOGY_MISSING', says: new RegExp(job.queue.name) });
});

test('A binding to an exchange that does not exist names both (404).', async (t) => {
  const { url } = await counted(t);
  const { queue } = jobOn();
  const job: JobType = defineJob('bound', {
    queue: { name: queue.name, type: 'classic' },
    bindings: [{ exchange: 'faults.missing', pattern: 'a' }],
  });
  const worker = workerOn(t, url.href).handle(job, () => {});
  await refused(t, worker, { code: 'ERR_TOPOLOGY_MISSING', says: new RegExp(`${queue.name}.*faults\\.missing`) });
});

test('A queue that exists with other arguments is named, with the difference (406).', async (t) => {
  const node = await ownNode();
  const { url } = await counted(t);
  const job = jobOn();
  const outside = await outsider(t, node.url);
  await (await outside.createChannel()).assertQueue(job.queue.name, { durable: false });
  await outside.close();
  const worker = workerOn(t, url.href).handle(job, () => {});
  await refused(t, worker, { code: 'ERR_TOPOLOGY_MISMATCH', says: /durable.*false.*true/ });
});

test("A queue that belongs to somebody else's connection is named (405).", async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const outside = await outsider(t, node.url);
  await (await outside.createChannel()).assertQueue(job.queue.name, { exclusive: true });
  const worker = workerOn(t, node.url).handle(job, () => {});
  await t.throwsAsync(worker.start(), { code: 'ERR_ACCESS_REFUSED', message: new RegExp(job.queue.name) });
  await until(async () => (await connections(node)).length === 1);
});

test('A process whose worker was refused ends by itself, and soon.', async (t) => {
  const { url } = await counted(t);
  url.password = 'secret';
  const child = await childOn(t, { url: url.href }, jobOn().queue.name);
  const { exited, code } = await child.stop(1_000);
  t.is(code, 0);
  t.true(exited < 2_000, `ended after ${exited} ms`);
});
