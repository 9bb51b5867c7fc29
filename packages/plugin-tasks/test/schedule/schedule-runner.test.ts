import test from 'ava';
import { ConnectionLostError, PayloadInvalidError } from '@warren/core';
import { batonMessage } from '../../src/schedule/baton.js';
import { range, Stage } from './_stage.js';

const MINUTE = 60_000;

test('ten workers that start at once fire each tick once, in order', async (t) => {
  const stage = new Stage();
  await Promise.all(range(1, 10).map(() => stage.start()));
  await stage.clock.advance(20_500);
  t.deepEqual(stage.fired, range(1, 20));
  await stage.end(t);
});

test('no tick fires before its time', async (t) => {
  const stage = new Stage({ every: '10m' });
  const worker = await stage.start();
  worker.outcome = async (tick) => void t.true(stage.clock.now() >= tick.getTime());
  await stage.clock.advance(600_000 - 1);
  t.deepEqual(stage.fired, []);
  await stage.clock.advance(1);
  t.deepEqual(stage.fired, [600]);
  await stage.end(t);
});

test('a leader that is killed is followed by another worker, without a tick lost', async (t) => {
  const stage = new Stage();
  const leader = await stage.start();
  await stage.start();
  await stage.clock.advance(5_500);
  leader.connection.kill();
  await stage.clock.advance(5_000);
  t.deepEqual(stage.fired, range(1, 10));
  await stage.end(t);
});

test('a leader that is killed between the firing and the baton leaves a tick that fires again, under the same id', async (t) => {
  const stage = new Stage();
  const leader = await stage.start();
  await stage.start();
  await stage.clock.advance(2_500);
  leader.outcome = async () => leader.connection.kill();
  await stage.clock.advance(3_000);
  t.deepEqual(stage.fired, [1, 2, 3, 3, 4, 5]);
  await stage.end(t);
});

test('a worker that stops gives the baton to the next one at once', async (t) => {
  const stage = new Stage();
  const leader = await stage.start();
  await stage.start();
  await stage.clock.advance(3_500);
  await leader.runner.stop();
  t.is(stage.broker.line(stage.queue).consumers.length, 1);
  await stage.clock.advance(3_000);
  t.deepEqual(stage.fired, range(1, 6));
  await stage.end(t);
});

test('a worker that stops while it fires ends that first, and nobody fires it again', async (t) => {
  const stage = new Stage({ every: '10s' });
  const leader = await stage.start();
  await stage.start();
  leader.outcome = async () => void (await stage.clock.sleep(2_000));
  await stage.clock.advance(11_000);
  const stopped = leader.runner.stop();
  await stage.clock.advance(20_000);
  await stopped;
  t.deepEqual(stage.fired, [10, 20, 30]);
  await stage.end(t);
});

test('a connection that breaks and comes back costs no tick and repeats none', async (t) => {
  const stage = new Stage();
  const leader = await stage.start();
  await stage.clock.advance(3_500);
  leader.connection.reconnect();
  await stage.clock.advance(3_000);
  t.deepEqual(stage.fired, range(1, 6));
  await stage.end(t);
});

test('a queue that was deleted goes on where its leader was', async (t) => {
  const stage = new Stage({ every: '90s', missed: 'all' });
  await stage.start();
  await stage.start();
  await stage.clock.advance(100_000);
  stage.broker.delete(stage.queue);
  await stage.clock.advance(200_000);
  t.deepEqual(stage.fired, [90, 180, 270]);
  await stage.end(t);
});

test('a queue that was deleted together with its leader is begun anew by those who wait', async (t) => {
  const stage = new Stage({ every: '10m' });
  const leader = await stage.start();
  await stage.start();
  await stage.clock.advance(10 * MINUTE + 500);
  stage.broker.delete(stage.queue);
  leader.connection.kill();
  await stage.clock.advance(30 * MINUTE);
  t.is(stage.fired[0], 600);
  t.is(stage.fired.at(-1), 2_400);
  await stage.end(t);
});

for (const [missed, expected] of [
  ['skip', [3_600, 21_600]],
  ['one', [3_600, 18_000, 21_600]],
  ['all', range(1, 6).map((hour) => 3_600 * hour)],
] as const) {
  test(`ticks that fell due while no worker was there: ${missed}`, async (t) => {
    const stage = new Stage({ every: '1h', missed });
    const first = await stage.start();
    await stage.clock.advance(90 * MINUTE);
    await first.runner.stop();
    await stage.clock.advance(240 * MINUTE);
    await stage.start();
    await stage.clock.advance(45 * MINUTE);
    t.deepEqual(stage.fired, [...expected]);
    t.is(stage.logged.filter((line) => line.startsWith('ticks fell due')).length, 1);
    await stage.end(t);
  });

  test(`a tick that is less than a minute late fires: ${missed}`, async (t) => {
    const stage = new Stage({ every: '1h', missed });
    const first = await stage.start();
    await stage.clock.advance(59 * MINUTE);
    await first.runner.stop();
    await stage.clock.advance(MINUTE + 50_000);
    await stage.start();
    await stage.clock.advance(1_000);
    t.deepEqual(stage.fired, [3_600]);
    await stage.end(t);
  });
}

test('a worker that loses the lead while it catches up leaves the rest to the next one', async (t) => {
  const stage = new Stage({ every: '1h', missed: 'all' });
  const first = await stage.start();
  await stage.clock.advance(MINUTE);
  await first.runner.stop();
  await stage.clock.advance(600 * MINUTE);
  const second = await stage.start();
  const third = await stage.start();
  const by: string[] = [];
  second.outcome = async (tick) => {
    by.push('second');
    if (tick.getUTCHours() === 4) second.connection.reconnect();
  };
  third.outcome = async () => void by.push('third');
  await stage.clock.advance(10_000);
  t.deepEqual(
    stage.fired,
    range(1, 10).map((hour) => hour * 3_600),
  );
  t.deepEqual(by, [...Array<string>(4).fill('second'), ...Array<string>(6).fill('third')]);
  await stage.end(t);
});

test('a new leader looks whether a later baton follows before it fires', async (t) => {
  const stage = new Stage({ every: '1h', missed: 'all' });
  const begin = stage.clock.now();
  await stage.clock.advance(90 * MINUTE);
  stage.broker.enqueue(batonMessage('tick', { last: begin, seed: false }));
  await stage.start();
  await stage.clock.advance(50);
  stage.broker.enqueue(batonMessage('tick', { last: begin + 60 * MINUTE, seed: false }));
  await stage.clock.advance(45 * MINUTE);
  t.deepEqual(stage.fired, [7_200]);
  await stage.end(t);
});

test('a leader that wakes late looks whether it was replaced before it fires', async (t) => {
  const stage = new Stage({ every: '10s' });
  const [frozen, next] = [await stage.start(), await stage.start()];
  const by: string[] = [];
  frozen.outcome = async () => void by.push('frozen');
  next.outcome = async () => void by.push('next');
  await stage.clock.advance(5_000);
  const begin = stage.clock.monotonic() - 5_000;
  stage.clock.now = () => Math.max(begin + 16_000, stage.clock.monotonic());
  stage.clock.schedule(5_050, () => frozen.connection.reconnect());
  await stage.clock.advance(6_000);
  t.deepEqual(by, ['next']);
  await stage.end(t);
});

test('a tick that falls due while its former is fired follows at once', async (t) => {
  const stage = new Stage({ every: '10s' });
  const worker = await stage.start();
  worker.outcome = async () => void (await stage.clock.sleep(11_000));
  await stage.clock.advance(33_000);
  t.deepEqual(stage.fired, [10, 20]);
  worker.outcome = async () => {};
  await stage.clock.advance(12_000);
  await stage.end(t);
});

test('a worker that is stopped while it starts leaves nothing behind', async (t) => {
  const stage = new Stage();
  const starting = stage.start();
  await stage.end(t);
  await starting;
  t.is(stage.broker.line(stage.queue).consumers.length, 0);
});

test('a firing that fails is tried again, and what came due meanwhile follows', async (t) => {
  const stage = new Stage();
  const worker = await stage.start();
  worker.outcome = async () => {
    if (stage.now > 2 && stage.now < 8) throw new ConnectionLostError();
  };
  await stage.clock.advance(45_500);
  t.deepEqual(stage.fired, range(1, 45));
  t.true(stage.logged.includes('a schedule will be tried again'));
  await stage.end(t);
});

test('a tick whose payload is wrong is given up, and the schedule goes on', async (t) => {
  const stage = new Stage();
  const worker = await stage.start();
  worker.outcome = async () => {
    if (stage.now < 3) throw new PayloadInvalidError({ job: 'tick', issues: [] });
  };
  await stage.clock.advance(5_500);
  t.deepEqual(stage.fired, [3, 4, 5]);
  t.is(stage.logged.filter((line) => line === 'a tick was given up').length, 2);
  await stage.end(t);
});

test('a tick that fired is not fired again by its worker where the baton could not be handed on', async (t) => {
  const stage = new Stage();
  const worker = await stage.start();
  await stage.clock.advance(2_500);
  worker.connection.failing = true;
  await stage.clock.advance(1_000);
  worker.connection.reconnect();
  worker.connection.failing = false;
  await stage.clock.advance(5_000);
  t.deepEqual(stage.fired, range(1, 8));
  await stage.end(t);
});

test('a clock that is set forward is noticed within a minute', async (t) => {
  const stage = new Stage({ every: '1d' });
  await stage.start();
  await stage.clock.advance(MINUTE);
  const shift = 24 * 60 * MINUTE - 30_000;
  stage.clock.now = () => stage.clock.monotonic() + shift;
  await stage.clock.advance(61_000);
  t.deepEqual(stage.fired, [86_400]);
  await stage.end(t);
});
