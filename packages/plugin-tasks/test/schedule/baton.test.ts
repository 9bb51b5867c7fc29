import test from 'ava';
import { MemoryDelivery } from '@warren/core/testing';
import fc from 'fast-check';
import { batonMessage, batonQueue, readBaton, supersedes } from '../../src/schedule/baton.js';
import type { Baton } from '../../src/schedule/baton.js';

const batons: fc.Arbitrary<Baton> = fc.record({
  last: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map(Number),
  seed: fc.boolean(),
});

function read(content: string | Buffer): Baton | undefined {
  const queue = batonQueue('report');
  return readBaton(new MemoryDelivery({ queue, exchange: '', routingKey: queue, content: Buffer.from(content), properties: {} }));
}

test('a baton is read as it was written', (t) => {
  fc.assert(fc.property(batons, (baton) => t.deepEqual(read(batonMessage('report', baton).content), baton)));
});

test('a baton goes straight to its queue, and outlives the broker', (t) => {
  const { exchange, routingKey, properties } = batonMessage('report', { last: 0, seed: true });
  t.is(exchange, '');
  t.is(routingKey, 'schedule.report');
  t.true(properties.persistent);
  t.truthy(properties.messageId);
});

for (const content of [
  '',
  'null',
  '[]',
  '7',
  '{}',
  '{"last":7}',
  '{"last":"soon"}',
  '{"last":null,"since":null}',
  '{'.repeat(200),
]) {
  test(`what is no baton is not read: ${content.slice(0, 30)}`, (t) => {
    t.is(read(content), undefined);
  });
}

test('what is too long is not read', (t) => {
  t.is(read(`{"last":"2030-01-01T00:00:00.000Z","more":"${'x'.repeat(100)}"}`), undefined);
});

test('a baton supersedes a seed and an earlier baton, and a seed supersedes nothing', (t) => {
  t.true(supersedes({ last: 1, seed: false }, { last: 2, seed: true }));
  t.true(supersedes({ last: 2, seed: false }, { last: 1, seed: false }));
  t.true(supersedes({ last: 1, seed: false }, { last: 1, seed: false }));
  t.false(supersedes({ last: 1, seed: false }, { last: 2, seed: false }));
  t.false(supersedes({ last: 2, seed: true }, { last: 1, seed: true }));
  t.false(supersedes({ last: 2, seed: true }, { last: 1, seed: false }));
});
