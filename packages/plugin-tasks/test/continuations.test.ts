// What follows a group, whatever order its messages come in, however often, and whatever goes wrong while it is sent.
import { fixed, MessageInvalidError, never } from '@warren/core';
import type { JobType } from '@warren/core';
import test from 'ava';
import * as fc from 'fast-check';
import { chain, defineTask, group } from '../src/index.js';
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

test('what can never be sent fails, with what comes after it, and is not tried for ever', async (t) => {
  const { worker, record } = taskWorker(t);
  worker.handle(member, ({ payload }) => payload).handle(collect, ({ payload }) => payload);
  await worker.start();
  let tried = 0;
  worker.connection.onPublish = ({ properties: { type } }) => {
    if (type !== 'collect') return;
    tried++;
    throw new MessageInvalidError({ exchange: '', routingKey: 'collected', cause: new RangeError('it has too many bytes') });
  };
  const flow = group([[member, 1]]).then(chain([collect, member]));
  const handle = await worker.enqueue(flow, undefined, { messageId: 'flow' });
  const [outcome] = await worker.advance('1m');
  t.is(outcome?.kind, 'ack');
  t.is(tried, 1);
  t.like(await record('flow.step0'), { state: 'failed', error: { code: 'ERR_MESSAGE_INVALID' } });
  await t.throwsAsync(handle.result(), { code: 'ERR_TASK_FAILED' });
});

test('a task that runs after all, because the one before it was replayed, shows nothing of its failure', async (t) => {
  const { worker, record } = taskWorker(t);
  const fragile = defineTask<number>('fragile', { queue: 'fragile', retry: never });
  let broken = true;
  worker.handle(fragile, () => {
    if (broken) throw new Error('broken');
  });
  await worker.start();
  await worker.enqueue(chain([fragile, member]), 1, { messageId: 'flow' });
  await worker.advance(1);
  t.like(await record('flow'), { state: 'failed' });
  broken = false;
  await worker.deliver(fragile, 1, { messageId: 'flow.step0' });
  t.like(await record('flow'), { state: 'queued', finishedAt: undefined, error: undefined });
});
