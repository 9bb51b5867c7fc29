// Starts so many times what a shared limiter grants, as fast as it can, and prints when: milliseconds of the machine's own clock, which all processes share.
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '@warren/core';
import { createStore } from '@warren/store';
import { StoreLimiter } from '../src/index.js';
import type { Claim } from '../src/index.js';

const { url, claims, count } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  claims: Claim[];
  count: number;
};
const store = createStore(url, { timeout: '30s' });
const limiter = new StoreLimiter({ store, clock: new SystemClock() });
await limiter.check();
const starts: number[] = [];

async function take(): Promise<void> {
  while (starts.length < count) {
    const wait = await limiter.take(claims);
    if (wait === 0) starts.push(Number(process.hrtime.bigint()) / 1e6);
    else await sleep(Math.ceil(wait));
  }
}

await Promise.all(Array.from({ length: 8 }, take));
await store.close();
process.stdout.write(JSON.stringify(starts));
