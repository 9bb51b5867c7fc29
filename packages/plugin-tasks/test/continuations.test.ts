// What follows a group, whatever order its messages come in, however often, and whatever goes wrong while it is sent.
import { fixed } from '@warren/core';
import type { JobType } from '@warren/core';
import test from 'ava';
import * as fc from 'fast-check';
import { defineTask, group } from '../src/index.js';
import { memberId } from '../src/flow.js';
import { taskWorker } from './_worker.js';

const retry = fixed({ maxAttempts: 3, delay: 1_000 });
const member: JobType<number> = defineTask('member', { queue: 'members', retry });
const collect: JobType<number[]> = defineTask('collect', { queue: 'collected', retry });

/** For each delivery of a member's message: whose it is, and whether what it then sends gets lost. */
const deliveries = fc.array(fc.record({ index: fc.nat(7), fails: fc.boolean(), together: fc.boolean() }), { maxLength: 40 });

test('the task after a group runs once, with all results in order, also when messages are repeated and sends fail', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), deliveries, async (size, plan) => {
      const { worker } = taskWorker(t);
      const collected: number[][] = [];
      worker.handle(member, ({ payload }) => payload * 10);
      worker.handle(collect, ({ payload }) => void collected.push(payload));
      await worker.start();
      const indices = Array.from({ length: size }, (_, index) => index);
      const handle = await worker.enqueue(group(indices.map((index) => [member, index] as const)).then(collect));
      const groupId = `${handle.id}.group`;
      const deliver = (index: number): Promise<unknown> => worker.deliver(member, index, { messageId: memberId(groupId, index) });
      let underWay: Array<Promise<unknown>> = [];
      for (const { index, fails, together } of plan) {
        worker.connection.onPublish = ({ properties: { type } }) => {
          if (fails && type === 'collect') throw new Error('lost');
        };
        underWay.push(deliver(index % size));
        if (!together) {
          await Promise.all(underWay);
          underWay = [];
        }
      }
      await Promise.all(underWay);
      worker.connection.onPublish = undefined;
      // The broker delivers what was not acknowledged, at the latest now.
      await worker.advance('1m');
      t.deepEqual(collected, [indices.map((index) => index * 10)]);
      t.is(await handle.state(), 'succeeded');
      await worker.stop();
    }),
    { numRuns: 60 },
  );
});
