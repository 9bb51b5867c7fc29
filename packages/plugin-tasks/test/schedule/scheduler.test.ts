import { fork } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defineJob, silentLogger, SystemClock } from '@warren/core';
import type { JobType, Worker } from '@warren/core';
import { MemoryConnection, VirtualClock } from '@warren/core/testing';
import { createStore, Records } from '@warren/store';
import { breakableBroker, brokerUrl } from '@warren/test-broker';
import { connect } from 'amqplib';
import type { ScheduleOptions } from '../../src/schedule/options.js';
import { schedulesOf } from '../../src/schedule/options.js';
import { Scheduler } from '../../src/schedule/scheduler.js';
import type { ScheduleRecord, SchedulerParts } from '../../src/schedule/scheduler.js';
import { FakeBroker } from './_fake-broker.js';
import { Arrivals, scheduling, tickJob } from './_workers.js';

interface Cast {
  readonly job: JobType<string>;
  readonly arrivals: Arrivals;
  /** Starts one more worker. */
  readonly start: () => Promise<Worker>;
}

async function cast(t: ExecutionContext, options: ScheduleOptions, url?: string): Promise<Cast> {
  const at = url ?? (await brokerUrl());
  const job = tickJob();
  const arrivals = await Arrivals.at(t, at, job);
  const start = async (): Promise<Worker> => {
    const worker = scheduling(at, job, options);
    t.teardown(() => worker.stop({ deadline: 2_000 }));
    await worker.start();
    return worker;
  };
  return { job, arrivals, start };
}

function consecutive(t: ExecutionContext, { gaps }: Arrivals): void {
  t.true(gaps.every((gap) => gap === 1));
}

/** What a scheduler needs besides schedules, without a broker. */
function quiet(): { scheduled: Omit<SchedulerParts, 'schedules'>; connection: MemoryConnection } {
  const connection = new MemoryConnection();
  const stopping = new AbortController().signal;
  return {
    connection,
    scheduled: { connection, clock: new SystemClock(), logger: silentLogger, stopping, fire: async () => {} },
  };
}

test('five workers fire each tick once, in order', async (t) => {
  const { arrivals, start } = await cast(t, { every: 1_000 });
  await Promise.all([1, 2, 3, 4, 5].map(start));
  await arrivals.some(6);
  consecutive(t, arrivals);
  t.deepEqual(arrivals.ticks, arrivals.distinct);
});

test('a cron with seconds fires on its seconds', async (t) => {
  const { arrivals, start } = await cast(t, { cron: '*/2 * * * * *' });
  await start();
  await arrivals.some(3);
  t.deepEqual(arrivals.gaps, [2, 2]);
  t.true(arrivals.ticks.every((tick) => tick % 2_000 === 0));
});

test('workers that stop one after another lose no tick and repeat none', async (t) => {
  const { arrivals, start } = await cast(t, { every: 1_000 });
  const workers = [await start(), await start(), await start()];
  await arrivals.some(2);
  await workers[0]?.stop();
  await arrivals.some(4);
  await workers[1]?.stop();
  await arrivals.some(6);
  consecutive(t, arrivals);
  t.deepEqual(arrivals.ticks, arrivals.distinct);
});

test('a leader that is killed -9 loses no tick', async (t) => {
  const { job, arrivals, start } = await cast(t, { every: 1_000 });
  const args = [await brokerUrl(), job.queue.name.slice('ticks.'.length)];
  const leader = fork(new URL('_schedule-process.js', import.meta.url), args, { execArgv: [] });
  t.teardown(() => leader.kill('SIGKILL'));
  await once(leader, 'message');
  await start();
  await arrivals.some(3);
  leader.kill('SIGKILL');
  await arrivals.some(7);
  consecutive(t, arrivals);
});

test('a queue that is deleted under its leader goes on', async (t) => {
  const { job, arrivals, start } = await cast(t, { every: 1_000 });
  await start();
  await arrivals.some(2);
  const connection = await connect(await brokerUrl());
  t.teardown(() => connection.close());
  await (await connection.createChannel()).deleteQueue(`schedule.${job.name}`);
  await arrivals.some(6);
  consecutive(t, arrivals);
});

test.serial('connections that are closed, and a broker that is stopped and started, lose no tick', async (t) => {
  t.timeout(120_000);
  const broker = await breakableBroker(t);
  const { arrivals, start } = await cast(t, { every: 1_000, missed: 'all' }, broker.url);
  await Promise.all([1, 2, 3].map(start));
  await arrivals.some(3);
  await broker.closeConnections();
  await arrivals.some(6);
  await broker.stop();
  await broker.start();
  await arrivals.some(arrivals.distinct.length + 4);
  consecutive(t, arrivals);
});

test('the next worker catches up what was missed, as far back as its window', async (t) => {
  const { job, arrivals, start } = await cast(t, { every: '1h', missed: 'all', window: '4h' });
  const hour = 3_600_000;
  const first = await start();
  await first.stop();
  const connection = await connect(await brokerUrl());
  t.teardown(() => connection.close());
  const channel = await connection.createConfirmChannel();
  await channel.purgeQueue(`schedule.${job.name}`);
  const last = new Date(Math.floor(Date.now() / hour - 3) * hour);
  channel.sendToQueue(`schedule.${job.name}`, Buffer.from(JSON.stringify({ last: last.toISOString() })), { persistent: true });
  await channel.waitForConfirms();
  await start();
  await arrivals.some(3);
  t.deepEqual(
    arrivals.distinct.slice(0, 3),
    [1, 2, 3].map((hours) => last.getTime() + hours * hour),
  );
});

test('a worker without schedules declares nothing', async (t) => {
  const { scheduled, connection } = quiet();
  const scheduler = new Scheduler({ ...scheduled, schedules: [] });
  await scheduler.start();
  t.is(connection.topology, undefined);
  await scheduler.stop();
});

test('two schedules with one name are refused', (t) => {
  const schedules = ['a', 'b'].flatMap((job) => schedulesOf({ every: '1h', name: 'same' }, defineJob(job, { queue: job })));
  t.throws(() => new Scheduler({ ...quiet().scheduled, schedules }), { code: 'ERR_INVALID_OPTION' });
});

test('the queue of a baton is durable, has one consumer at a time and drops nothing', async (t) => {
  const { scheduled, connection } = quiet();
  const scheduler = new Scheduler({ ...scheduled, schedules: schedulesOf({ every: '1h' }, defineJob('report', { queue: 'q' })) });
  await scheduler.start();
  const queue = connection.topology?.queues.get('schedule.report');
  t.true(queue?.durable);
  t.is(queue?.deadLetter, undefined);
  t.deepEqual(queue?.arguments, {
    'x-queue-type': 'quorum',
    'x-single-active-consumer': true,
    'x-delivery-limit': 1_000_000_000,
  });
  await scheduler.stop();
  t.deepEqual(connection.consumers, []);
});

test('a worker that stops taking work leaves the line at once', async (t) => {
  const stop = new AbortController();
  const { scheduled, connection } = quiet();
  const schedules = schedulesOf({ every: '1h' }, defineJob('report', { queue: 'q' }));
  const scheduler = new Scheduler({ ...scheduled, stopping: stop.signal, schedules });
  await scheduler.start();
  stop.abort();
  t.deepEqual(connection.consumers, []);
  await scheduler.stop();
});

test('the last tick is noted where there is a store, and never set back', async (t) => {
  const store = createStore('memory:');
  t.teardown(() => store.close());
  const records = new Records<ScheduleRecord>(store, 'schedule/');
  const clock = new VirtualClock();
  const connection = new FakeBroker(clock).connect();
  const schedules = schedulesOf({ every: '1m' }, defineJob('report', { queue: 'q' }));
  const { scheduled } = quiet();
  const scheduler = new Scheduler({ ...scheduled, clock, connection, schedules, records });
  await scheduler.start();
  await clock.advance(190_000);
  t.is((await records.get('report'))?.value.last, '2030-01-01T00:03:00.000Z');
  await records.replaceIfVersion('report', (await records.get('report'))?.version ?? 0, { value: { last: '2031-01-01' } });
  await clock.advance(60_000);
  t.is((await records.get('report'))?.value.last, '2031-01-01');
  await scheduler.stop();
});
