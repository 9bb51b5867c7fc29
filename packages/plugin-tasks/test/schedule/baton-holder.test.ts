import test from 'ava';
import { silentLogger } from '@warren/core';
import type { Message } from '@warren/core';
import { VirtualClock } from '@warren/core/testing';
import { BatonHolder } from '../../src/schedule/baton-holder.js';
import { batonMessage, batonQueue } from '../../src/schedule/baton.js';
import { FakeBroker } from './_fake-broker.js';
import type { FakeConnection } from './_fake-broker.js';

const QUEUE = batonQueue('report');
const HOUR = 3_600_000;

class Scene {
  readonly clock: VirtualClock = new VirtualClock();
  readonly broker: FakeBroker = new FakeBroker(this.clock);
  readonly connection: FakeConnection = this.broker.connect();
  batons = 0;
  readonly holder: BatonHolder = new BatonHolder({
    schedule: 'report',
    connection: this.connection,
    clock: this.clock,
    logger: silentLogger,
    onBaton: () => this.batons++,
  });

  /** Runs to its end. */
  async through(work: Promise<void>): Promise<void> {
    await this.clock.advance(10);
    await work;
    await this.clock.advance(10);
  }

  /** What waits and what is in hand. */
  get count(): number {
    const { ready, consumers } = this.broker.line(QUEUE);
    return ready.length + consumers.reduce((sum, { unsettled }) => sum + unsettled.size, 0);
  }

  async delivered(...messages: Message[]): Promise<void> {
    for (const message of messages) this.broker.enqueue(message);
    await this.clock.advance(10);
  }

  get published(): unknown[] {
    return this.connection.published.map(({ content }) => JSON.parse(content.toString()) as unknown);
  }
}

const baton = (last: number, seed = false): Message => batonMessage('report', { last, seed });

test('of what is delivered the latest baton is held, and the others are settled', async (t) => {
  const scene = new Scene();
  const now = scene.clock.now();
  await scene.holder.open();
  t.false(scene.holder.holds);
  await scene.delivered(baton(now - 1, true));
  t.true(scene.holder.holds);
  await scene.delivered(baton(now - 3 * HOUR), baton(now - HOUR), baton(now - 2 * HOUR), baton(now, true));
  t.is(scene.count, 1);
  t.is(scene.batons, 3);
  await scene.holder.close();
  scene.holder.release();
  t.is(scene.broker.line(QUEUE).ready[0]?.message.content.toString(), baton(now - HOUR).content.toString());
});

test('what is no baton is dropped', async (t) => {
  const scene = new Scene();
  await scene.holder.open();
  await scene.delivered({ ...baton(0), content: Buffer.from('hello') });
  t.false(scene.holder.holds);
  t.is(scene.count, 0);
});

test('a baton from the future counts as none', async (t) => {
  const scene = new Scene();
  const now = scene.clock.now();
  await scene.holder.open();
  await scene.delivered(baton(now + HOUR));
  t.true(scene.holder.last <= scene.clock.now());
  const soon = scene.clock.now() + 30_000;
  await scene.delivered(baton(soon));
  t.is(scene.holder.last, soon);
});

test('a worker that knows of no tick offers a seed, and one that lost the baton what it said', async (t) => {
  const scene = new Scene();
  const now = scene.clock.now();
  await scene.holder.open();
  await scene.through(scene.holder.offer());
  t.deepEqual(scene.published, [{ since: new Date(now).toISOString() }]);
  scene.broker.delete(QUEUE);
  t.false(scene.holder.holds);
  await scene.through(scene.holder.offer());
  t.deepEqual(scene.published[1], { last: new Date(now).toISOString() });
});

test('what a worker knew is offered once: later it may be long out of date', async (t) => {
  const scene = new Scene();
  await scene.holder.open();
  await scene.delivered(baton(scene.clock.now() - HOUR));
  scene.broker.delete(QUEUE);
  await scene.holder.close();
  await scene.through(scene.holder.offer());
  const later = new Date(scene.clock.now()).toISOString();
  await scene.through(scene.holder.offer());
  t.deepEqual(scene.published[1], { since: later });
});

test('a failed offer is made again with what is known', async (t) => {
  const scene = new Scene();
  const now = scene.clock.now();
  await scene.holder.open();
  await scene.delivered(baton(now - HOUR));
  scene.broker.delete(QUEUE);
  scene.connection.failing = true;
  await t.throwsAsync(scene.holder.offer(), { code: 'ERR_CONNECTION_LOST' });
  scene.connection.failing = false;
  await scene.through(scene.holder.offer());
  t.deepEqual(scene.published, [{ last: new Date(now - HOUR).toISOString() }]);
});

test('a fired tick is handed on, and is the one baton that is left', async (t) => {
  const scene = new Scene();
  const tick = new Date(scene.clock.now());
  await scene.holder.open();
  await scene.delivered(baton(tick.getTime() - HOUR));
  await scene.through(scene.holder.advance(tick));
  t.is(scene.holder.last, tick.getTime());
  t.is(scene.count, 1);
  t.true(scene.holder.holds);
  await scene.through(scene.holder.refresh());
  t.is(scene.published.length, 1);
});

test('a tick that could not be handed on is handed on by the next refresh', async (t) => {
  const scene = new Scene();
  const tick = new Date(scene.clock.now());
  await scene.holder.open();
  await scene.delivered(baton(tick.getTime() - HOUR));
  scene.connection.failing = true;
  await t.throwsAsync(scene.holder.advance(tick), { code: 'ERR_CONNECTION_LOST' });
  scene.connection.failing = false;
  await scene.through(scene.holder.refresh());
  t.deepEqual(scene.published, [{ last: tick.toISOString() }]);
});

test('a baton that was in hand for ten minutes is handed on', async (t) => {
  const scene = new Scene();
  await scene.holder.open();
  await scene.delivered(baton(scene.clock.now() - HOUR));
  await scene.clock.advance(599_000);
  await scene.holder.refresh();
  t.is(scene.published.length, 0);
  await scene.clock.advance(1_000);
  await scene.through(scene.holder.refresh());
  t.is(scene.published.length, 1);
  t.is(scene.count, 1);
});

test('a seed is made a baton by the first refresh', async (t) => {
  const scene = new Scene();
  const now = scene.clock.now();
  await scene.holder.open();
  await scene.delivered(baton(now, true));
  await scene.through(scene.holder.refresh());
  t.deepEqual(scene.published, [{ last: new Date(now).toISOString() }]);
});

test('who leaves the line gives back what still comes, and takes nothing more', async (t) => {
  const scene = new Scene();
  await scene.holder.open();
  scene.broker.enqueue(baton(scene.clock.now()));
  await scene.holder.close();
  await scene.clock.advance(10);
  t.false(scene.holder.holds);
  t.is(scene.broker.ready(QUEUE), 1);
});
