import { VirtualClock } from '@warren/core/testing';
import { createStore, Records } from '@warren/store';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Claims } from '../src/claims.js';
import type { Claim } from '../src/claims.js';
import { settingsOf } from '../src/options.js';
import type { KeyRecord } from '../src/record.js';
import { BreakableStore } from './_store.js';

interface Bench {
  readonly clock: VirtualClock;
  readonly store: BreakableStore;
  readonly records: Records<KeyRecord>;
  readonly claim: (options?: { fingerprint?: string; lease?: string; ttl?: string }) => Promise<Claim>;
}

function bench(t: ExecutionContext): Bench {
  const clock = new VirtualClock();
  const store = new BreakableStore(createStore('memory:', { clock }));
  t.teardown(() => store.close());
  const records = new Records<KeyRecord>(store, 'idempotency/');
  const claim: Bench['claim'] = ({ fingerprint = 'f', ...options } = {}) => {
    const claims = new Claims({ records, clock, settings: settingsOf(options) });
    return claims.claim({ key: 'k', fingerprint, onLost: () => {} });
  };
  return { clock, store, records, claim };
}

test('A free key is taken in one call.', async (t) => {
  const { claim, store } = bench(t);
  t.is((await claim()).kind, 'mine');
  t.is(store.calls, 1);
});

test('A key that somebody has is busy for what is left of the lease.', async (t) => {
  const { claim, records } = bench(t);
  await records.putIfAbsent('k', { state: 'running', owner: 'other', fingerprint: 'f', lease: 30_000 });
  t.deepEqual(await claim(), { kind: 'busy', ms: 30_000, age: 0 });
});

test('A lease lasts as long as its owner says, whatever the lease of who asks.', async (t) => {
  const { claim, clock, records } = bench(t);
  await records.putIfAbsent('k', { state: 'running', owner: 'other', fingerprint: 'f', lease: 60_000 });
  await clock.advance(59_999);
  t.deepEqual(await claim({ lease: '1s' }), { kind: 'busy', ms: 1, age: 59_999 });
  await clock.advance(1);
  t.is((await claim({ lease: '1s' })).kind, 'mine');
});

test('Of many who find a lease that is over, one takes it, with a greater fence.', async (t) => {
  const { claim, clock, records } = bench(t);
  const first = await records.putIfAbsent('k', { state: 'running', owner: 'dead', fingerprint: 'f', lease: 30_000 });
  await clock.advance(30_000);
  const claims = await Promise.all(Array.from({ length: 50 }, () => claim()));
  const granted = claims.filter(({ kind }) => kind === 'mine');
  t.is(granted.length, 1);
  t.is(claims.filter(({ kind }) => kind === 'busy').length, 49);
  t.true(granted[0]?.kind === 'mine' && granted[0].lease.fence > Number(first));
});

test('Of many who find a key free, one takes it.', async (t) => {
  const { claim } = bench(t);
  const claims = await Promise.all(Array.from({ length: 50 }, () => claim()));
  t.is(claims.filter(({ kind }) => kind === 'mine').length, 1);
});

test('Another fingerprint is a conflict, also where the lease is over.', async (t) => {
  const { claim, clock, records } = bench(t);
  await records.putIfAbsent('k', { state: 'running', owner: 'dead', fingerprint: 'f', lease: 30_000 });
  t.is((await claim({ fingerprint: 'g' })).kind, 'conflict');
  await clock.advance(30_000);
  t.is((await claim({ fingerprint: 'g' })).kind, 'conflict');
});

test('A record outlives its lease, also where a key is kept for a shorter time.', async (t) => {
  const { claim, clock, records, store } = bench(t);
  t.is((await claim({ lease: '30s', ttl: '1s' })).kind, 'mine');
  store.broken = new Error('no renewal');
  await clock.advance(29_999);
  store.broken = undefined;
  t.truthy(await records.get('k'));
});

test("A claim whose answer is lost is nobody else's either, until its lease is over.", async (t) => {
  const { claim, clock, store } = bench(t);
  [store.broken, store.deaf] = [new Error('gone'), true];
  await t.throwsAsync(claim(), { message: 'gone' });
  store.broken = undefined;
  t.deepEqual(await claim(), { kind: 'busy', ms: 30_000, age: 0 });
  await clock.advance(30_000);
  t.is((await claim()).kind, 'mine');
});
