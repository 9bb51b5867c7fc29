import test from 'ava';
import { retry } from '@warren/core';
import type { Job } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import { freshBroker } from '@warren/test-broker';
import audit, { AUDIT_TRAIL } from 'warren-plugin-audit';
import type { AuditEntry } from 'warren-plugin-audit';
import { folder, startWorker, worker } from '../_cli.js';
import { refund } from './project/handlers/refunds.js';
import type { Refund } from './project/handlers/refunds.js';

function auditedWorker(): { worker: TestWorker; entries: AuditEntry[] } {
  const entries: AuditEntry[] = [];
  const worker = createTestWorker({ plugins: [audit({ actor: 'shop' })] });
  worker.container.register(AUDIT_TRAIL, { useValue: { add: (entry) => entries.push(entry) } });
  return { worker, entries };
}

function refundKnown({ payload }: Job<Refund>): void {
  if (payload.order === 'unknown') throw new Error('No such order.');
}

test('the trail says who asked for a job, what it does and how a run of it ended', async (t) => {
  const { worker, entries } = auditedWorker();
  worker.handle(refund, refundKnown, { audit: 'refund an order' });
  const headers = { 'x-audit-actor': 'Ann' };
  await worker.deliver(refund, { order: '4711' }, { messageId: 'refund-1', headers });
  await worker.deliver(refund, { order: 'unknown' }, { messageId: 'refund-2', headers, attempt: 2 });
  t.deepEqual(entries, [
    { action: 'refund an order', actor: 'Ann', messageId: 'refund-1', attempt: 1, outcome: 'ack' },
    { action: 'refund an order', actor: 'Ann', messageId: 'refund-2', attempt: 2, outcome: 'retry' },
  ]);
});

test('a published job carries its actor, by default the one of the plugin, and so do its retries', async (t) => {
  const { worker } = auditedWorker();
  worker.handle(refund, () => retry(), { audit: 'refund an order' });
  await worker.start();
  await worker.publish(refund, { order: '4711' }, { actor: 'Ann' });
  await worker.publish(refund, { order: '4711' });
  await worker.deliver(refund, { order: '4711' }, { headers: { 'x-audit-actor': 'Ann' } });
  t.deepEqual(
    worker.sent.map(({ properties }) => properties.headers?.['x-audit-actor']),
    ['Ann', 'shop', 'Ann'],
  );
});

test('a handler without the option leaves no trace', async (t) => {
  const { worker, entries } = auditedWorker();
  worker.handle(refund, () => {});
  await worker.deliver(refund, { order: '4711' });
  t.deepEqual(entries, []);
});

test('without the plugin its option is an error at start', async (t) => {
  const worker = createTestWorker().handle(refund, () => {}, { audit: 'refund an order' });
  await t.throwsAsync(worker.start(), { code: 'ERR_UNKNOWN_OPTION', message: /"audit"/ });
});

test('worker start finds it by its short name, and the trail is in the log', async (t) => {
  const { url } = await freshBroker(t);
  const flags = ['--url', url, '--cwd', folder('custom-plugin/project'), '--plugins', 'audit', '--handlers', './handlers/*.ts'];
  const started = startWorker(t, ...flags, '--json');
  await started.lines.find((line) => line.includes('"msg":"jobs"'));
  await worker('publish', ...flags, '--job', 'refund', '--message-id', 'refund-2', '{"order":"4711"}');
  const entry = JSON.parse(await started.lines.find((line) => line.includes('"msg":"audit"'))) as AuditEntry;
  t.like(entry, { action: 'refund an order', messageId: 'refund-2', attempt: 1, outcome: 'ack' });
  t.is(await started.stop(), 0);
});
