import { LOGGER, never, requeue } from '@warren/core';
import type { Consume, HandlerInfo, Message } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import test from 'ava';
import * as fc from 'fast-check';
import rateLimit, { LIMITER, RATE_LIMIT, RateLimitError } from '../src/index.js';
import type { Claim } from '../src/index.js';
import { collect, holding, jobNamed, settle, workerWith } from './_worker.js';

const key = ({ payload }: { payload: unknown }): string => `tenant ${(payload as number) % 2}`;

const next: Consume = () => requeue;

/** The most starts in any window [t, t + per). */
function densest(starts: readonly number[], per: number): number {
  return Math.max(0, ...starts.map((first) => starts.filter((start) => start >= first && start < first + per).length));
}

test('at most max handlers start in any window, in order of arrival, and none is lost', async (t) => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 6 }), async (gaps, max) => {
      const worker = workerWith(t);
      const [job, starts, order]: [ReturnType<typeof jobNamed>, number[], number[]] = [jobNamed(), [], []];
      worker.handle(
        job,
        ({ payload }) => {
          starts.push(worker.clock.monotonic());
          order.push(payload);
        },
        { rateLimit: { max, per: 500 } },
      );
      const outcomes: ReturnType<typeof worker.deliver>[] = [];
      for (const [index, gap] of gaps.entries()) {
        await worker.clock.advance(gap);
        outcomes.push(worker.deliver(job, index));
      }
      await worker.clock.advance(500 * (gaps.length + 1));
      const ended = await Promise.all(outcomes);
      t.true(ended.every(({ kind }) => kind === 'ack'));
      t.deepEqual(order, [...gaps.keys()]);
      t.true(densest(starts, 500) <= max);
    }),
    { numRuns: 40 },
  );
});

test('a burst starts at once up to max, the next job exactly when the first leaves the window', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const starts: number[] = [];
  const begin = worker.clock.monotonic();
  worker.handle(job, () => void starts.push(worker.clock.monotonic() - begin), { rateLimit: '3/s' });
  for (let index = 0; index < 7; index++) void worker.deliver(job, index);
  await worker.clock.advance(5_000);
  t.deepEqual(starts, [0, 0, 0, 1_000, 1_000, 1_000, 2_000]);
});

test("the worker's limit counts all handlers together, the longest waiting first", async (t) => {
  const worker = workerWith(t, { max: 2, per: 1_000 });
  const [first, second] = [jobNamed('first'), jobNamed('second')];
  const order: string[] = [];
  worker.handle(first, ({ payload }) => void order.push(`first ${payload}`));
  worker.handle(second, ({ payload }) => void order.push(`second ${payload}`));
  for (let index = 0; index < 3; index++) {
    void worker.deliver(first, index);
    void worker.deliver(second, index);
    await settle();
  }
  t.deepEqual(order, ['first 0', 'second 0']);
  await worker.clock.advance(1_000);
  t.deepEqual(order, ['first 0', 'second 0', 'first 1', 'second 1']);
  await worker.clock.advance(1_000);
  t.is(order.length, 6);
});

test("a handler that waits for its own limit takes nothing of the worker's", async (t) => {
  const worker = workerWith(t, { max: 4 });
  const [slow, quick] = [jobNamed('slow'), jobNamed('quick')];
  const starts: Record<string, number[]> = { slow: [], quick: [] };
  const begin = worker.clock.monotonic();
  const note = (name: string) => () => void starts[name]?.push(worker.clock.monotonic() - begin);
  worker.handle(slow, note('slow'), { rateLimit: { max: 1, per: 10_000 } });
  worker.handle(quick, note('quick'));
  for (let index = 0; index < 3; index++) void worker.deliver(slow, index);
  for (let index = 0; index < 6; index++) void worker.deliver(quick, index);
  await worker.clock.advance(2_000);
  t.deepEqual(starts, { slow: [0], quick: [0, 0, 0, 1_000, 1_000, 1_000] });
  await worker.clock.advance(20_000);
  t.deepEqual(starts['slow'], [0, 10_000, 20_000]);
});

test('each key is limited by itself', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const order: number[] = [];
  worker.handle(job, ({ payload }) => void order.push(payload), { rateLimit: { max: 1, per: 1_000, key } });
  for (const payload of [1, 3, 5, 2, 4]) void worker.deliver(job, payload);
  await settle();
  t.deepEqual(order, [1, 2]);
  await worker.clock.advance(1_000);
  t.deepEqual(order, [1, 2, 3, 4]);
});

test("a handler's limit without a key counts all jobs, also where the worker's limit has a key", async (t) => {
  const worker = workerWith(t, { max: 2, key });
  const [plain, limited] = [jobNamed('plain'), jobNamed('limited')];
  const order: string[] = [];
  worker.handle(plain, ({ payload }) => void order.push(`plain ${payload}`));
  worker.handle(limited, ({ payload }) => void order.push(`limited ${payload}`), { rateLimit: { max: 1 } });
  for (const payload of [1, 2]) void worker.deliver(limited, payload);
  await settle();
  for (const payload of [1, 2, 3, 4]) void worker.deliver(plain, payload);
  await settle();
  t.deepEqual(order, ['limited 1', 'plain 1', 'plain 2', 'plain 4'], 'tenant 1 has had its two, and the handler its one');
  await worker.clock.advance(1_000);
  t.deepEqual(order.slice(4).toSorted(), ['limited 2', 'plain 3']);
});

test("RateLimitError of a handler without a limit pauses the key of the worker's limit, in that handler", async (t) => {
  const worker = workerWith(t, { max: 100, key });
  const [job, other] = [jobNamed(), jobNamed('other')];
  const runs: string[] = [];
  worker.handle(job, ({ payload }) => {
    runs.push(`${payload}`);
    if (runs.length === 1) throw new RateLimitError(5_000);
  });
  worker.handle(other, ({ payload }) => void runs.push(`other ${payload}`));
  for (const payload of [1, 2, 3]) {
    void worker.deliver(job, payload);
    await settle();
  }
  void worker.deliver(other, 1);
  await settle();
  t.deepEqual(runs, ['1', '2', 'other 1']);
  await worker.clock.advance(5_000);
  t.deepEqual(runs, ['1', '2', 'other 1', '1', '3']);
});

test('a key that is no text fails its job, and says so', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  worker.handle(job, () => {}, { rateLimit: { max: 1, key: () => 7 as never }, retry: () => null });
  const outcome = await worker.deliver(job, 1);
  t.is(outcome.kind, 'deadLetter');
  t.is((outcome as { error: { code?: string } }).error.code, 'ERR_INVALID_OPTION');
});

test('a handler without a limit gets the next layer itself where nothing begins slowly', async (t) => {
  const worker = createTestWorker({ plugins: [] });
  const plugin = rateLimit({ slowStart: false });
  plugin.register?.(worker.container);
  const info: HandlerInfo = { job: jobNamed(), options: {}, policy: never, consumer: { queue: 'q', prefetch: 5 } };
  t.is(plugin.consume?.(next, info, worker.container), next);
});

test('a job that would be held too long goes to the plugin that delays, with its attempt', async (t) => {
  const held: Message[] = [];
  const worker = workerWith(t, { maxHold: '1m' }, [holding(held)]);
  const job = jobNamed();
  worker.handle(job, () => {}, { rateLimit: '1/h' });
  t.is((await worker.deliver(job, 1)).kind, 'ack');
  const outcome = await worker.deliver(job, 2, { attempt: 3 });
  t.deepEqual({ ...outcome }, { kind: 'requeue', delay: 3_600_000 });
  await settle();
  t.is(held.length, 1);
  t.is((held[0]?.options as { delay?: number } | undefined)?.delay, 3_600_000);
  t.is(held[0]?.properties.headers?.['x-attempt'], 3);
  t.is(worker.lastDelivery?.settled, 'acked');
});

test('a place far back in the line counts: who would be held too long there goes at once', async (t) => {
  const held: Message[] = [];
  const worker = workerWith(t, { maxHold: 2_500 }, [holding(held)]);
  const job = jobNamed();
  worker.handle(job, () => {}, { rateLimit: '1/s' });
  const outcomes = Array.from({ length: 6 }, (_, index) => worker.deliver(job, index));
  await settle();
  t.deepEqual(
    held.map(({ options }) => (options as { delay?: number }).delay),
    [3_000, 3_000, 3_000],
    'the three that fit are held, and the others would come next',
  );
  await worker.clock.advance(3_000);
  t.deepEqual(
    (await Promise.all(outcomes)).map(({ kind }) => kind),
    ['ack', 'ack', 'ack', 'requeue', 'requeue', 'requeue'],
  );
});

test('where nobody delays, a job is held for maxHold and goes back uncharged', async (t) => {
  const worker = workerWith(t, { maxHold: '1m' });
  const job = jobNamed();
  worker.handle(job, () => {}, { rateLimit: '1/h' });
  await worker.deliver(job, 1);
  const ended = collect([worker.deliver(job, 2)]);
  await worker.clock.advance(59_999);
  t.deepEqual(ended, []);
  await worker.clock.advance(1);
  t.deepEqual(
    ended.map((outcome) => ({ ...outcome })),
    [{ kind: 'requeue' }],
  );
  t.is(worker.lastDelivery?.settled, 'requeued');
});

test('jobs that wait go back at once when the worker stops, and no timer stays', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const timers = new Set<() => void>();
  const schedule = worker.clock.schedule.bind(worker.clock);
  worker.clock.schedule = (ms, callback) => {
    const cancel = schedule(ms, callback);
    const forget = (): void => {
      timers.delete(forget);
      cancel();
    };
    timers.add(forget);
    return forget;
  };
  worker.handle(job, () => {}, { rateLimit: '1/m' });
  const ended = collect([worker.deliver(job, 1), worker.deliver(job, 2), worker.deliver(job, 3)]);
  await settle();
  t.is(timers.size, 1, 'one for all who wait');
  const stopped = worker.stop({ deadline: 1_000 });
  await settle();
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['ack', 'requeue', 'requeue'],
  );
  t.deepEqual(await stopped, { drained: true, abandoned: 0 });
  t.is(timers.size, 0);
});

test('a job whose channel has closed takes no start', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const started: number[] = [];
  worker.handle(job, ({ payload }) => void started.push(payload), { rateLimit: '1/s' });
  void worker.deliver(job, 1);
  await settle();
  const lost = worker.deliver(job, 2);
  await settle();
  if (worker.lastDelivery) worker.lastDelivery.lost = true;
  void worker.deliver(job, 3);
  await worker.clock.advance(1_000);
  t.deepEqual(started, [1, 3]);
  t.is((await lost).kind, 'requeue');
  t.is(worker.lastDelivery?.settled, 'acked');
});

test('RateLimitError pauses the handler; the job comes back first, uncharged, and the others wait', async (t) => {
  const worker = workerWith(t, { max: 1_000 });
  const [job, other] = [jobNamed(), jobNamed('other')];
  const runs: Array<{ payload: number; attempt: number; at: number }> = [];
  const begin = worker.clock.monotonic();
  let refusals = 1;
  worker.handle(job, ({ payload, attempt }) => {
    runs.push({ payload, attempt, at: worker.clock.monotonic() - begin });
    if (refusals-- > 0) throw new RateLimitError('30s');
  });
  let others = 0;
  worker.handle(other, () => void others++);
  const outcomes = [worker.deliver(job, 1)];
  await settle();
  outcomes.push(worker.deliver(job, 2), worker.deliver(job, 3), worker.deliver(other, 1));
  await worker.clock.advance(29_999);
  t.is(runs.length, 1);
  t.is(others, 1, 'another handler goes on');
  await worker.clock.advance(1);
  t.deepEqual(
    runs.slice(1),
    [1, 2, 3].map((payload) => ({ payload, attempt: 1, at: 30_000 })),
  );
  t.deepEqual(
    (await Promise.all(outcomes)).map(({ kind }) => kind),
    ['ack', 'ack', 'ack', 'ack'],
  );
});

test("RateLimitError pauses the job's key alone where the limit has a key", async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const runs: number[] = [];
  worker.handle(
    job,
    ({ payload }) => {
      runs.push(payload);
      if (runs.length === 1) throw new RateLimitError(5_000);
    },
    { rateLimit: { max: 100, key } },
  );
  for (const payload of [1, 2, 3, 4]) {
    void worker.deliver(job, payload);
    await settle();
  }
  t.deepEqual(runs, [1, 2, 4]);
  await worker.clock.advance(5_000);
  t.deepEqual(runs, [1, 2, 4, 1, 3]);
});

test('RateLimitError works for a handler without a limit, and its pause is forgotten afterwards', async (t) => {
  const worker = createTestWorker({ prefetch: 1, plugins: [rateLimit()] });
  t.teardown(() => worker.stop({ deadline: 100 }));
  const job = jobNamed();
  const runs: number[] = [];
  worker.handle(job, ({ payload }) => {
    runs.push(payload);
    if (runs.length === 1) throw new RateLimitError(1_000);
  });
  const outcomes = [worker.deliver(job, 1)];
  await settle();
  outcomes.push(worker.deliver(job, 2));
  await settle();
  t.deepEqual(runs, [1]);
  await worker.clock.advance(1_000);
  t.deepEqual(runs, [1, 1, 2]);
  t.deepEqual(
    (await Promise.all(outcomes)).map(({ kind }) => kind),
    ['ack', 'ack'],
  );
  t.is((await worker.deliver(job, 3)).kind, 'ack');
});

test('a pause longer than maxHold is left to the plugin that delays', async (t) => {
  const held: Message[] = [];
  const worker = workerWith(t, { max: 100, maxHold: '1m' }, [holding(held)]);
  const job = jobNamed();
  worker.handle(job, () => {
    throw new RateLimitError('1h');
  });
  t.deepEqual({ ...(await worker.deliver(job, 1)) }, { kind: 'requeue', delay: 3_600_000 });
  t.deepEqual({ ...(await worker.deliver(job, 2)) }, { kind: 'requeue', delay: 3_600_000 }, 'without running');
  await settle();
  t.is(held.length, 2);
});

test('an upstream that says 429 for ever does not hold a job for ever', async (t) => {
  const worker = workerWith(t, { max: 100, maxHold: '1m' });
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => {
    runs++;
    throw new RateLimitError('25s');
  });
  const ended = collect([worker.deliver(job, 1)]);
  await worker.clock.advance(60_000);
  t.is(runs, 3);
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['requeue'],
  );
});

test('without the plugin RateLimitError is a failure like any other', async (t) => {
  const worker = createTestWorker();
  t.teardown(() => worker.stop({ deadline: 100 }));
  const job = jobNamed();
  worker.handle(job, () => {
    throw new RateLimitError('1s', { cause: new Error('429') });
  });
  const outcome = await worker.deliver(job, 1);
  t.is(outcome.kind, 'retry');
  const error = (outcome as { error?: RateLimitError }).error;
  t.is(error?.code, 'ERR_RATE_LIMITED');
  t.is(error?.retryAfter, 1_000);
});

test('a limit is changed at run time, for those who wait too', async (t) => {
  const worker = workerWith(t, { max: 1_000 });
  const job = jobNamed('changing');
  let runs = 0;
  worker.handle(job, () => void runs++, { rateLimit: '1/m' });
  for (let index = 0; index < 10; index++) void worker.deliver(job, index);
  await settle();
  t.is(runs, 1);
  const limits = worker.resolve(RATE_LIMIT);
  t.deepEqual(limits.get('changing'), { max: 1, per: 60_000 });
  limits.set('changing', { max: 4, per: '1m' });
  await settle();
  t.is(runs, 4);
  limits.set('changing', '100/s');
  await settle();
  t.is(runs, 10);
  t.deepEqual(limits.get('changing'), { max: 100, per: 1_000 });
});

test("the worker's own limit is changed without a name", async (t) => {
  const worker = workerWith(t, { max: 1 });
  const job = jobNamed();
  let runs = 0;
  worker.handle(job, () => void runs++);
  for (let index = 0; index < 5; index++) void worker.deliver(job, index);
  await settle();
  t.is(runs, 1);
  worker.resolve(RATE_LIMIT).set({ max: 3 });
  await settle();
  t.is(runs, 3);
  worker.resolve(RATE_LIMIT).set(undefined, '5/s');
  t.is(runs, 5);
});

test('an unknown name and a wrong limit are clear errors', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed('mail');
  worker.handle(job, () => {}, { rateLimit: '1/m' });
  await worker.start();
  const limits = worker.resolve(RATE_LIMIT);
  t.throws(() => limits.set('male', '1/s'), { code: 'ERR_RATE_LIMIT_UNKNOWN', message: /"male".*Known here: mail\./ });
  t.throws(() => limits.get('male'), { code: 'ERR_RATE_LIMIT_UNKNOWN' });
  t.throws(() => limits.set({ max: 1 }), { code: 'ERR_RATE_LIMIT_UNKNOWN', message: /no rate limit of its own/ });
  t.throws(() => limits.set('mail', '1'), { code: 'ERR_INVALID_OPTION' });
  t.deepEqual(limits.get('mail'), { max: 1, per: 60_000 });
});

test('a limiter of the user decides, answering later, and gets the claims of worker, handler and key', async (t) => {
  const worker = workerWith(t, { max: 7 });
  const job = jobNamed('task');
  const asked: Array<readonly Claim[]> = [];
  let free = 2;
  worker.container.register(LIMITER, {
    useValue: {
      take: async (claims: readonly Claim[]) => {
        asked.push(claims);
        return free-- > 0 ? 0 : 100;
      },
      pause: async () => {},
    },
  });
  let runs = 0;
  worker.handle(job, () => void runs++, { rateLimit: { max: 5, per: 50, key: () => 'acme' } });
  for (let index = 0; index < 3; index++) void worker.deliver(job, index);
  await settle();
  t.is(runs, 2);
  free = 1;
  await worker.clock.advance(100);
  t.is(runs, 3);
  t.deepEqual(asked[0], [
    { key: 'worker', limit: { max: 7, per: 1_000 } },
    { key: `handler:${job.queue.name}/task:acme`, limit: { max: 5, per: 50 } },
  ]);
});

test('a limiter that fails lets nothing start, says so, and is asked again', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  let broken = true;
  const errors: string[] = [];
  worker.container.register(LOGGER, {
    useValue: { ...worker.container.resolve(LOGGER), error: (_: object, message: string) => void errors.push(message) },
  });
  worker.container.register(LIMITER, {
    useValue: {
      take: async () => {
        if (broken) throw new Error('the store is away');
        return 0;
      },
      pause: async () => {},
    },
  });
  let runs = 0;
  worker.handle(job, () => void runs++, { rateLimit: '10/s' });
  const ended = collect([worker.deliver(job, 1)]);
  await worker.clock.advance(3_000);
  t.is(runs, 0);
  t.is(errors.length, 1);
  broken = false;
  await worker.clock.advance(1_000);
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['ack'],
  );
});

test('a limiter that cannot take a pause leaves it to the worker', async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  worker.container.register(LIMITER, {
    useValue: { take: () => 0, pause: () => Promise.reject(new Error('the store is away')) },
  });
  let runs = 0;
  worker.handle(
    job,
    () => {
      if (++runs === 1) throw new RateLimitError(1_000);
    },
    { rateLimit: '10/s' },
  );
  const ended = collect([worker.deliver(job, 1)]);
  await worker.clock.advance(999);
  t.is(runs, 1);
  await worker.clock.advance(1);
  t.deepEqual(
    ended.map(({ kind }) => kind),
    ['ack'],
  );
});

test("a shared limiter's latency does not limit the rate", async (t) => {
  const worker = workerWith(t);
  const job = jobNamed();
  const take = (): Promise<number> => worker.clock.sleep(10).then(() => 0);
  worker.container.register(LIMITER, { useValue: { take, pause: async () => {} } });
  const order: number[] = [];
  worker.handle(job, ({ payload }) => void order.push(payload), { rateLimit: '10000/s' });
  for (let index = 0; index < 160; index++) void worker.deliver(job, index);
  await worker.clock.advance(150);
  t.deepEqual(
    order,
    Array.from({ length: 160 }, (_, index) => index),
  );
});

test('the plugin writes its prefetch into the consumers; a handler has the last word', async (t) => {
  const worker = createTestWorker({ plugins: [rateLimit({ prefetch: 3 })] });
  t.teardown(() => worker.stop({ deadline: 100 }));
  const [plain, own] = [jobNamed('plain'), jobNamed('own')];
  worker.handle(plain, () => {});
  worker.handle(own, () => {}, { prefetch: 7 });
  await worker.start();
  t.deepEqual(
    worker.connection.consumers.map(({ prefetch }) => prefetch),
    [3, 7],
  );
});

test('channelPrefetch is refused on a quorum queue, and where the broker ignores it', async (t) => {
  const classic = jobNamed('classic');
  Object.assign(classic.queue.arguments, { 'x-queue-type': 'classic' });
  for (const [job, supported, feature] of [
    [jobNamed('quorum'), true, /quorum queue "ratelimit\..*Use prefetch/],
    [classic, false, /does not work on RabbitMQ 4\.0\.5\. Use prefetch/],
  ] as const) {
    const worker = createTestWorker({ plugins: [rateLimit({ channelPrefetch: 3 })] });
    worker.connection.capabilities = { ...worker.connection.capabilities, channelPrefetch: supported };
    worker.handle(job, () => {});
    await t.throwsAsync(worker.start(), { code: 'ERR_UNSUPPORTED_BY_BROKER', message: feature });
    t.deepEqual(worker.connection.consumers, []);
  }
  const worker = createTestWorker({ plugins: [rateLimit({ channelPrefetch: 3 })] });
  t.teardown(() => worker.stop({ deadline: 100 }));
  worker.handle(classic, () => {});
  await worker.start();
  t.deepEqual(
    worker.connection.consumers.map(({ channelPrefetch }) => channelPrefetch),
    [3],
  );
});

test('an unknown option is refused when the plugin is made', (t) => {
  for (const options of [{ limit: 3 }, { slowStart: { initail: 2 } }]) {
    t.throws(() => rateLimit(options as never), { code: 'ERR_UNKNOWN_OPTION' });
  }
});

for (const [what, options] of Object.entries({
  'a window without a max': { per: 1_000 },
  'a prefetch above the protocol': { prefetch: 65_536 },
  'a fraction of a prefetch': { channelPrefetch: 1.5 },
  'a hold of nothing': { maxHold: 0 },
  'no keys': { maxKeys: 0 },
  'a slow start of nothing': { slowStart: { initial: 0 } },
  'a slow start that is true': { slowStart: true },
  'a slow start that is null': { slowStart: null },
  'a store that is none': { store: null },
  'a slow start at once': { slowStart: { interval: 0 } },
  'text that is no limit': 'many',
  'a number': 3,
})) {
  test(`${what} is refused when the plugin is made`, (t) => {
    t.throws(() => rateLimit(options as never), { code: 'ERR_INVALID_OPTION', message: /expected .*, got / });
  });
}

test('an option that is undefined is one that is not given', (t) => {
  const options = { max: 3, maxHold: undefined, maxKeys: undefined, slowStart: undefined, store: undefined };
  t.notThrows(() => rateLimit(options as never));
});

test("a handler's wrong limit fails the start and names the handler", async (t) => {
  const worker = workerWith(t);
  worker.handle(jobNamed('mail'), () => {}, { rateLimit: { max: 0 } });
  await t.throwsAsync(worker.start(), {
    code: 'ERR_INVALID_OPTION',
    message: /rateLimit of the handler of job "mail"\.max: expected .*got 0/,
  });
});
