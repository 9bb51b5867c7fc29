import { defineJob, Job } from '@warren/core';
import { MemoryDelivery } from '@warren/core/testing';
import test from 'ava';
import * as fc from 'fast-check';
import { done, fingerprintOf } from '../src/record.js';

const type = defineJob('pay', { queue: 'orders' });
const running = { state: 'running', owner: 'o', fingerprint: 'f', lease: 1 } as const;

function fingerprint(content: Buffer, contentType?: string): string {
  const facts = { queue: 'orders', exchange: '', routingKey: 'orders', content };
  const delivery = new MemoryDelivery({ ...facts, properties: { contentType } });
  const context = { publish: () => Promise.resolve(), send: () => Promise.resolve() };
  return fingerprintOf(new Job(undefined, { type, delivery, context }));
}

test('Two messages have one fingerprint when they have the same body and content type, and only then.', (t) => {
  const body = fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes));
  const contentType = fc.option(fc.constantFrom('text/plain', 'application/json'), { nil: undefined });
  fc.assert(
    fc.property(body, contentType, body, contentType, (one, oneType, other, otherType) => {
      t.is(fingerprint(one, oneType) === fingerprint(other, otherType), one.equals(other) && oneType === otherType);
    }),
  );
});

test('A result that is kept is what JSON makes of it.', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (result) => {
      t.deepEqual(done(running, result, 10_000).result, JSON.parse(JSON.stringify(result)));
    }),
  );
});

test('A result is kept up to so many bytes.', (t) => {
  const kept = { state: 'done', owner: 'o', fingerprint: 'f' } as const;
  t.deepEqual(done(running, 'üü', 6), { ...kept, result: 'üü' });
  t.deepEqual(done(running, 'üü', 5), { ...kept, omitted: 'too large' });
  t.deepEqual(done(running, undefined, 0), kept);
});
