// A charge that is delivered many times, to several processes, is made once.
import { createWorker, defineJob } from '@warren/core';
import type { JobType, Worker } from '@warren/core';
import idempotency from '@warren/plugin-idempotency';

export interface Charge {
  account: string;
  cents: number;
}

export const charge: JobType<Charge> = defineJob<Charge>('charge', { queue: 'charges' });

/** What has been charged. Nothing in it keeps a charge from being made twice. The lock: several workers may make it at once. */
export const LEDGER = `
  SELECT pg_advisory_xact_lock(1);
  CREATE TABLE IF NOT EXISTS ledger (account text NOT NULL, cents bigint NOT NULL)`;

export interface ChargeOptions {
  /** The broker's. */
  url: string;
  /** The URL of the store. */
  store: string;
  print: (line: string) => void;
}

/** By a database's primary key: the key of the message, and what is charged, are committed in one transaction. Not started. */
export function chargeInPostgres({ url, store, print }: ChargeOptions): Worker {
  return createWorker({ url, plugins: [idempotency({ store })] }).handle(
    charge,
    async ({ payload: { account, cents }, transaction }) => {
      await transaction.query('INSERT INTO ledger (account, cents) VALUES ($1, $2)', [account, cents]);
      print(`Charged ${cents} to ${account}`);
    },
    { idempotency: { transaction: true } },
  );
}

/** A client of Redis. */
export interface Balances {
  incrBy(key: string, cents: number): Promise<unknown>;
}

/** By Redis' atomic operation: who sets the key of the message where it is not set makes the charge. Not started. */
export function chargeInRedis({ url, store, print }: ChargeOptions, redis: Balances): Worker {
  return createWorker({ url, plugins: [idempotency({ store })] }).handle(charge, async ({ payload: { account, cents } }) => {
    await redis.incrBy(`balance:${account}`, cents);
    print(`Charged ${cents} to ${account}`);
  });
}

/** Sends one charge many times, as a producer does that sees no confirm: the messages have one id. */
export async function sendCharge(url: string, { id, times }: { id: string; times: number }): Promise<void> {
  await using worker = createWorker({ url });
  await worker.start();
  const sent = Array.from({ length: times }, () => worker.publish(charge, { account: 'alice', cents: 5 }, { messageId: id }));
  await Promise.all(sent);
}
