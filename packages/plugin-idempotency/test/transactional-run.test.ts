import { setImmediate as turn } from 'node:timers/promises';
import type { Transaction } from '@warren/store';
import { withPostgres } from '@warren/store-servers';
import test from 'ava';
import { bench } from './_postgres.js';
import { ForgetfulStore } from './_store.js';
import { jobNamed, nameIn, Runs } from './_worker.js';

const onPostgres = withPostgres(test);
const TRANSACTION = { idempotency: { transaction: true } } as const;

function insert(transaction: Transaction, table: string, id: number): Promise<unknown> {
  return transaction.query(`INSERT INTO ${table} VALUES ($1)`, [id]);
}

onPostgres('The effect and the mark are committed together, and a duplicate gets the result.', async (t) => {
  const { worker, table, ids, records } = await bench(t);
  const job = jobNamed();
  worker.handle(
    job,
    async ({ transaction, payload, fence }) => {
      await insert(transaction, table, payload.id);
      t.deepEqual(await ids(), [], 'nobody sees it before');
      t.like((await records.get(nameIn(job, 'm')))?.value, { state: 'running' });
      return { fenced: Number(fence) > 0 };
    },
    TRANSACTION,
  );
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'ack', result: { fenced: true } });
  t.deepEqual(await ids(), [7]);
  t.like((await records.get(nameIn(job, 'm')))?.value, { state: 'done', result: { fenced: true } });
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'ack', result: { fenced: true } });
  t.deepEqual(await ids(), [7]);
});

onPostgres('A handler that fails leaves neither effect nor mark, and its retry runs.', async (t) => {
  const { worker, table, ids, records } = await bench(t);
  const job = jobNamed();
  worker.handle(
    job,
    async ({ transaction, payload, attempt }) => {
      await insert(transaction, table, payload.id);
      if (attempt === 1) throw new Error('after the effect');
    },
    { ...TRANSACTION, retry: () => 1_000 },
  );
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'retry', error: { message: 'after the effect' } });
  t.deepEqual(await ids(), []);
  t.is(await records.get(nameIn(job, 'm')), undefined);
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm', attempt: 2 })).kind, 'ack');
  t.deepEqual(await ids(), [7]);
});

onPostgres('A message without a key runs in a transaction, too.', async (t) => {
  const { worker, table, ids } = await bench(t);
  const job = jobNamed();
  worker.handle(
    job,
    async ({ transaction, payload }) => {
      await insert(transaction, table, payload.id);
      if (payload.id === 8) throw new Error('no');
    },
    TRANSACTION,
  );
  t.is((await worker.deliver(job, { id: 7 }, { messageId: undefined })).kind, 'ack');
  t.is((await worker.deliver(job, { id: 8 }, { messageId: undefined })).kind, 'retry');
  t.deepEqual(await ids(), [7]);
});

onPostgres('A handler that has lost its lease commits nothing, and comes again uncharged.', async (t) => {
  const { worker, table, ids, records } = await bench(t);
  const job = jobNamed();
  worker.handle(
    job,
    async ({ transaction, payload }) => {
      await insert(transaction, table, payload.id);
      const found = await records.get(nameIn(job, 'm'));
      if (found) await records.replaceIfVersion(nameIn(job, 'm'), found.version, { value: { ...found.value, owner: 'other' } });
    },
    TRANSACTION,
  );
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'requeue');
  t.deepEqual(await ids(), []);
  t.like((await records.get(nameIn(job, 'm')))?.value, { state: 'running', owner: 'other' });
});

onPostgres('What the database refuses when it commits is a failure of the job, by its retry policy.', async (t) => {
  const { worker, client, table, ids, records } = await bench(t);
  const job = jobNamed();
  await client.query(`INSERT INTO ${table} VALUES (7)`);
  worker.handle(job, ({ transaction, payload }) => insert(transaction, table, payload.id).then(() => {}), {
    ...TRANSACTION,
    retry: () => null,
  });
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'deadLetter');
  t.deepEqual(await ids(), [7]);
  t.is(await records.get(nameIn(job, 'm')), undefined);
});

onPostgres('A handler that goes on after a query of its transaction has failed has failed.', async (t) => {
  const { worker, table, ids } = await bench(t);
  const job = jobNamed();
  worker.handle(
    job,
    async ({ transaction, payload }) => {
      await insert(transaction, table, payload.id);
      await transaction.query('SELECT 1/0').catch(() => {});
    },
    { ...TRANSACTION, retry: () => 1_000 },
  );
  const outcome = await worker.deliver(job, { id: 7 }, { messageId: 'm' });
  t.like(outcome, { kind: 'retry', error: { code: 'ERR_STORE_NOT_COMMITTED' } });
  t.deepEqual(await ids(), []);
});

onPostgres('A connection that is lost in the transaction leaves nothing, and the job comes again.', async (t) => {
  const { worker, client, table, ids } = await bench(t);
  const job = jobNamed();
  let runs = 0;
  worker.handle(
    job,
    async ({ transaction, payload }) => {
      await insert(transaction, table, payload.id);
      const { rows } = await transaction.query('SELECT pg_backend_pid() AS pid');
      if (runs++ === 0) await client.query('SELECT pg_terminate_backend($1)', [rows[0]?.['pid']]);
    },
    { ...TRANSACTION, retry: () => 1_000 },
  );
  t.true(['requeue', 'retry'].includes((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind));
  t.deepEqual(await ids(), []);
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'ack');
  t.deepEqual(await ids(), [7]);
});

onPostgres('A commit whose answer is lost is no reason to free the key: the job comes again and is a duplicate.', async (t) => {
  const { worker, table, ids } = await bench(t, { wrap: (store) => new ForgetfulStore(store) });
  const job = jobNamed();
  worker.handle(job, ({ transaction, payload }) => insert(transaction, table, payload.id).then(() => 'paid'), TRANSACTION);
  t.is((await worker.deliver(job, { id: 7 }, { messageId: 'm' })).kind, 'requeue');
  t.like(await worker.deliver(job, { id: 7 }, { messageId: 'm' }), { kind: 'ack', result: 'paid' });
  t.deepEqual(await ids(), [7]);
});

onPostgres('A handler that goes on after its timeout can write nothing more.', async (t) => {
  const { worker, table, ids } = await bench(t);
  const job = jobNamed();
  const runs = new Runs();
  let late: Promise<unknown> = Promise.resolve();
  worker.handle(
    job,
    async ({ transaction, payload, fence }) => {
      await runs.handler({ fence });
      late = insert(transaction, table, payload.id);
      await late;
    },
    { ...TRANSACTION, timeout: 1_000 },
  );
  const outcome = worker.deliver(job, { id: 7 }, { messageId: 'm' });
  while (runs.all.length === 0) await turn();
  await worker.clock.advance(1_000);
  t.like(await outcome, { kind: 'retry', error: { code: 'ERR_JOB_TIMEOUT' } });
  runs.all[0]?.end();
  await turn();
  await t.throwsAsync(late, { code: 'ERR_TRANSACTION_OVER' });
  t.deepEqual(await ids(), []);
});

onPostgres('A job for which there is no connection in time comes again, uncharged, and its key is free meanwhile.', async (t) => {
  const { worker, records } = await bench(t, { url: '?transactions=1', timeout: 4_000 });
  const job = jobNamed();
  const runs = new Runs();
  worker.handle(job, runs.handler, TRANSACTION);
  const first = worker.deliver(job, { id: 1 }, { messageId: 'one' });
  while (runs.all.length === 0) await turn();
  t.is((await worker.deliver(job, { id: 2 }, { messageId: 'two' })).kind, 'requeue');
  t.is(await records.get(nameIn(job, 'two')), undefined);
  t.is(runs.all.length, 1);
  runs.all[0]?.end();
  t.is((await first).kind, 'ack');
});
