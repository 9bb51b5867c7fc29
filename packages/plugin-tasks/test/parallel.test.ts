import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import * as fc from 'fast-check';
import { allInParallel, inParallel } from '../src/parallel.js';

test('every item is worked on once, in a lane of a hundred, and has its result in its place', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 350 }), async (items) => {
      let [running, most] = [0, 0];
      const results = await inParallel(items, async (fails) => {
        most = Math.max(most, ++running);
        await turn();
        running--;
        if (fails) throw new Error('no');
        return fails;
      });
      t.deepEqual(
        results.map(({ status }) => status === 'rejected'),
        items,
      );
      t.true(most <= 100 && running === 0);
    }),
    { numRuns: 20 },
  );
});

test('where one failure is everybody’s, the others end first', async (t) => {
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    if (item === 1) throw new Error('first');
    await turn();
    ended.push(item);
  };
  await t.throwsAsync(allInParallel([1, 2, 3], work), { message: 'first' });
  t.deepEqual(ended, [2, 3]);
});
