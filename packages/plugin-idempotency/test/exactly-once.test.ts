import { setTimeout as sleep } from 'node:timers/promises';
import { CANDIDATES, kill, Scene } from './_victims.js';

for (const [name, candidate] of Object.entries(CANDIDATES)) {
  candidate.test(`One message is delivered 100 times to two processes at once: with ${name} it has one effect.`, async (t) => {
    const scene = await Scene.open(t, candidate, { work: 200, lease: 30_000 });
    await Promise.all([scene.worker(), scene.worker()]);
    await Promise.all(Array.from({ length: 100 }, () => scene.publish(1)));
    await scene.settled();
    t.deepEqual(await scene.effects.all(), [1]);
  });
}

/** The whole number on the embedded broker: in the second run, on RabbitMQ, it is the broker that is tested. */
const TASKS = process.env['WARREN_TEST_BROKER'] === 'rabbitmq' ? 200 : 1_000;
const WORKERS = 3;
const PREFETCH = 5;

for (const [name, candidate] of Object.entries(CANDIDATES)) {
  candidate.test(`${TASKS} tasks and workers that are killed at random: with ${name} none is missing.`, async (t) => {
    t.timeout(120_000);
    const scene = await Scene.open(t, candidate, { work: 100, prefetch: PREFETCH, lease: 3_000 });
    await Promise.all(Array.from({ length: TASKS }, (_, task) => scene.publish(task)));
    const kills = await killedMeanwhile(scene);
    const effects = await scene.effects.all();
    t.log(`${kills} workers killed, ${effects.length - TASKS} effects twice`);
    t.true(kills > 0);
    t.is(new Set(effects).size, TASKS, 'none is missing');
    const most = name === 'a PostgreSQL transaction' ? 0 : kills * PREFETCH;
    t.true(effects.length - TASKS <= most, `${effects.length - TASKS} effects twice, where ${most} jobs were cut off`);
  });
}

/** Kills one of the workers at random moments, and puts another in its place, until all is done. How many were killed. */
async function killedMeanwhile(scene: Scene): Promise<number> {
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => scene.worker()));
  const settled = scene.settled().then(() => true);
  for (let kills = 0; ; kills++) {
    const pause = sleep(100 + 400 * Math.random()).then(() => false);
    if (await Promise.race([settled, pause])) return kills;
    const [victim] = workers.splice(Math.floor(Math.random() * WORKERS), 1);
    if (victim) await kill(victim);
    workers.push(await scene.worker());
  }
}
