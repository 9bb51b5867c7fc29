// A broker that goes away and comes back: killed, restarted, its application stopped, its virtual host or user gone.
import { randomUUID } from 'node:crypto';
import anyTest from 'ava';
import { withOwnRabbit } from '@warren/rabbitmq-node';
import { jobOn, next, outsider, ownNode, record, taken, Tally, until, workerOn } from '../_faults.js';

const test = withOwnRabbit(anyTest.serial);

/** What the broker gives as its reason; a reset, where the worker wrote before it had read that. */
function because(reason: string): RegExp {
  return new RegExp(`${reason}|ECONNRESET|EPIPE`);
}

test('kill -9 and a restart: the consumer goes on, the transient queue is declared again, no confirmed or pending message is lost.', async (t) => {
  const node = await ownNode();
  const [durable, transient, silent] = [jobOn(), jobOn({ durable: false, autoDelete: true }), jobOn()];
  const tally = new Tally();
  const worker = workerOn(t, node.url, { publishTimeout: 40_000 });
  worker.handle(durable, ({ payload }) => tally.add(payload));
  worker.handle(transient, ({ payload }) => tally.add(payload));
  await worker.start();
  await worker.publish(silent, 0);
  const seen = record(worker);
  const back = next(worker, 'connected');
  const ids = Array.from({ length: 5_000 }, () => randomUUID());
  const confirmed = Promise.all(ids.map((messageId, index) => worker.publish(silent, index, { messageId })));
  await node.kill();
  await next(worker, 'reconnecting', ({ attempt }) => attempt === 5);
  await node.start();
  await back;
  await confirmed;
  const found = new Set(await taken(await outsider(t, node.url), silent.queue.name));
  t.deepEqual(
    ids.filter((id) => !found.has(id)),
    [],
  );
  await Promise.all([worker.publish(durable, 1), worker.publish(transient, 2)]);
  await Promise.all([tally.reaches(1), tally.reaches(2)]);
  t.is(seen.of('disconnected').length, 1);
  t.is(seen.of('connected').length, 1);
});

test('stop_app and start_app: closed with 320, back when the broker is, without a restart of the worker.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, node.url);
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const lost = next(worker, 'disconnected');
  await node.ctl('stop_app');
  t.like((await lost)?.error, { code: 320 });
  const back = next(worker, 'connected');
  await node.ctl('start_app');
  await back;
  await worker.publish(job, 1);
  await tally.reaches(1);
});

test('A clean stop and start of the node: the same.', async (t) => {
  const node = await ownNode();
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, node.url);
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const seen = record(worker);
  const back = next(worker, 'connected');
  await node.stop();
  const held = worker.publish(job, 1, { timeout: 40_000 });
  await node.start();
  await Promise.all([back, held]);
  await tally.reaches(1);
  t.deepEqual(
    seen.of('connected').map(({ reconnected }) => reconnected),
    [true],
  );
});

test('A virtual host that goes down and is restarted is consumed again.', async (t) => {
  const node = await ownNode();
  await node.ctl('add_vhost', 'v1');
  t.teardown(() => node.ctl('delete_vhost', 'v1'));
  await node.ctl('set_permissions', '-p', 'v1', 'guest', '.*', '.*', '.*');
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, `${node.url}/v1`);
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const lost = next(worker, 'disconnected');
  await node.eval('rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"v1">>).');
  t.regex(String((await lost)?.error), because("vhost 'v1' is down"));
  await next(worker, 'reconnecting', ({ attempt }) => attempt >= 2);
  const back = next(worker, 'connected');
  await node.ctl('restart_vhost', '-p', 'v1');
  await back;
  await worker.publish(job, 1);
  await tally.reaches(1);
});

test('A virtual host that is deleted and made anew gets its queues again.', async (t) => {
  const node = await ownNode();
  await node.ctl('add_vhost', 'v2');
  t.teardown(() => node.ctl('delete_vhost', 'v2'));
  await node.ctl('set_permissions', '-p', 'v2', 'guest', '.*', '.*', '.*');
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, `${node.url}/v2`, { reconnect: { initial: 50, max: 300, alarmAfter: 2 } });
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const [lost, alarm] = [next(worker, 'disconnected'), next(worker, 'alarm')];
  await node.ctl('delete_vhost', 'v2');
  t.regex(String((await lost)?.error), because("vhost 'v2' is (?:down|deleted)"));
  t.is((await alarm)?.attempts, 2);
  const back = next(worker, 'connected');
  await node.ctl('add_vhost', 'v2');
  await node.ctl('set_permissions', '-p', 'v2', 'guest', '.*', '.*', '.*');
  await back;
  await worker.publish(job, 1);
  await tally.reaches(1);
});

test('A user who is deleted and made anew gets in again; meanwhile the waits grow to the maximum.', async (t) => {
  const node = await ownNode();
  const welcome = async (): Promise<void> => {
    await node.ctl('add_user', 'lim', 'secret');
    await node.ctl('set_permissions', 'lim', '.*', '.*', '.*');
  };
  await welcome();
  t.teardown(() => node.ctl('delete_user', 'lim'));
  const job = jobOn();
  const tally = new Tally();
  const worker = workerOn(t, node.url.replace('guest:guest', 'lim:secret'));
  worker.handle(job, ({ payload }) => tally.add(payload));
  await worker.start();
  const seen = record(worker);
  const lost = next(worker, 'disconnected');
  await node.ctl('delete_user', 'lim');
  t.regex(String((await lost)?.error), because("user 'lim' is deleted"));
  await until(() => seen.of('reconnecting').length >= 4);
  t.regex(String(seen.of('reconnecting').at(-1)?.error), /ACCESS.REFUSED/);
  const back = next(worker, 'connected');
  await welcome();
  await back;
  await worker.publish(job, 1);
  await tally.reaches(1);
});
