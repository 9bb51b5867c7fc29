// Many flows at once through the kill of a worker and a restart of the broker: nothing is missing, and what follows follows once.
import type { ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { breakableBroker } from '@warren/test-broker';
import test from 'ava';
import { chain, group, TASKS } from '../src/index.js';
import { Fleet } from './_fleet.js';

import { first, last, second, third } from './_steps.js';
import { collected } from './_worker.js';

const GROUPS = 33;
const MEMBERS = 100;
const CHAIN = 3;
const TASKS_IN_ALL = GROUPS * MEMBERS * CHAIN + GROUPS;

test.serial(
  `${TASKS_IN_ALL} tasks in groups of ${MEMBERS} chains of ${CHAIN} survive the kill of a worker and a restart of the broker`,
  async (t) => {
    t.timeout(240_000);
    const broker = await breakableBroker(t);
    const fleet = new Fleet(t, { url: broker.url, lease: 3_000 });
    await fleet.producer.start();
    const [victim] = [await fleet.worker(), await fleet.worker()] as const;
    const members = Array.from({ length: MEMBERS }, (_, index) => [chain([first, second, third]), `${index}`] as const);
    const handles = [];
    for (let index = 0; index < GROUPS; index++) {
      handles.push(await fleet.producer.enqueue(group(members).then(last), undefined, { messageId: `flow${index}` }));
    }
    // In the middle of its work: while tasks are enqueued, workers mostly wait for their turn at the store.
    while (fleet.effects().size < TASKS_IN_ALL / 3) await setTimeout(50);
    const inHand = await killWithWorkInHand(victim, async (worker) => {
      const running = await collected(fleet.producer.resolve(TASKS).list({ state: 'running' }));
      return running.filter((record) => record.worker === worker).length;
    });
    await broker.stop();
    await broker.start();
    await fleet.worker();
    const results = await Promise.all(handles.map((handle) => handle.result({ timeout: '3m' })));
    t.true(results.every((result) => result === String(MEMBERS)));
    const effects = fleet.effects();
    t.is(effects.size, TASKS_IN_ALL);
    const twice = [...effects].filter(([, count]) => count > 1);
    t.log(`${twice.length} of ${effects.size} tasks ran again; the killed worker had ${inHand} in hand`);
    // No more than the killed worker and the broken connections had in hand.
    t.true(twice.length <= 200, `${twice.length} tasks ran more than once`);
    const unfinished = await collected(fleet.producer.resolve(TASKS).list());
    t.deepEqual(
      unfinished.filter(({ state }) => state !== 'succeeded'),
      [],
    );
  },
);

/** Kills a worker at a moment when it has tasks in hand, and resolves with how many. It is frozen while they are counted. */
async function killWithWorkInHand(victim: ChildProcess, count: (worker: string) => Promise<number>): Promise<number> {
  for (;;) {
    victim.kill('SIGSTOP');
    const inHand = await count(`${hostname()}:${victim.pid}`);
    victim.kill(inHand > 0 ? 'SIGKILL' : 'SIGCONT');
    if (inHand > 0) return inHand;
    await setTimeout(50);
  }
}
