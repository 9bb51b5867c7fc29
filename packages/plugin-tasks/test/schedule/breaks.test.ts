// Whatever happens to workers, connections and the queue, in any order and with any latencies.
import test from 'ava';
import fc from 'fast-check';
import { range, Stage } from './_stage.js';
import type { Worker } from './_stage.js';

type Step = readonly [what: 'start' | 'kill' | 'reconnect' | 'stop' | 'delete' | 'wait', which: number, ms: number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0]>('start', 'kill', 'reconnect', 'stop', 'delete', 'wait'),
    fc.nat(9),
    fc.integer({ min: 0, max: 4_000 }),
  ),
  { maxLength: 30 },
);

/** The queue, while somebody holds the baton, and until that worker has noticed. */
async function lose({ broker, clock, queue }: Stage): Promise<void> {
  await clock.advance(200);
  broker.delete(queue);
  await clock.advance(61_000);
}

async function play(stage: Stage, [what, which, ms]: Step): Promise<void> {
  const alive = stage.workers.filter(({ connection }) => !connection.dead);
  const chosen = alive[which % alive.length] as Worker;
  const stopping = what === 'stop' && alive.length > 1 ? chosen.runner.stop() : undefined;
  if (what === 'start') await stage.start();
  if (what === 'delete') await lose(stage);
  if (what === 'reconnect') chosen.connection.reconnect();
  if (what === 'kill' && alive.length > 1) chosen.connection.kill();
  if (stopping) await stage.clock.advance(200);
  if (stopping) chosen.connection.kill();
  await stopping;
  await stage.clock.advance(ms);
}

test('whatever breaks: no tick is lost, none comes before its former, and none fires twice but after a break', async (t) => {
  const latencies = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(steps, latencies, async (played, delays) => {
      let calls = 0;
      const stage = new Stage({}, () => delays[calls++ % delays.length] as number);
      await stage.start();
      await stage.clock.advance(500);
      for (const step of played) await play(stage, step);
      await stage.clock.advance(130_000);
      const distinct = [...new Set(stage.fired)];
      const breaks = played.filter(([what]) => what !== 'start' && what !== 'wait').length;
      const expected = range(1, Math.floor(stage.now - 0.5));
      const stopped = Promise.all(stage.workers.map(({ runner }) => runner.stop()));
      await stage.clock.advance(1_000);
      await stopped;
      t.deepEqual(distinct.slice(0, expected.length), expected);
      t.true(stage.fired.length - distinct.length <= breaks);
    }),
    { numRuns: 60 },
  );
});
