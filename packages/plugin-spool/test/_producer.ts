import { setImmediate as turn } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Logger, Message, Plugin, PublishOptions, WorkerOptions } from '@warren/core';
import { createTestWorker } from '@warren/core/testing';
import type { TestWorker } from '@warren/core/testing';
import type { Store } from '@warren/store';
import spool from '../src/index.js';
import { order } from './_order.js';
import { keysOf } from './_store.js';

export interface ProducerOptions extends WorkerOptions {
  store: Store;
}

/** A worker in memory with a spool in `store`, which outlives it; started. */
export async function producer(t: ExecutionContext, options: ProducerOptions): Promise<TestWorker> {
  const worker = makeProducer(t, options);
  await worker.start();
  return worker;
}

export function makeProducer(t: ExecutionContext, { store, plugins = [], ...options }: ProducerOptions): TestWorker {
  const worker = createTestWorker({ ...options, plugins: [...plugins, spool({ store })] });
  t.teardown(async () => {
    const stopped = worker.stop({ deadline: 0 });
    await worker.clock.advance(0);
    await stopped;
  });
  return worker;
}

/** From now on the broker confirms nothing, and what was handed to it is lost: as it is for a process that is killed meanwhile. */
export function cutOff(worker: TestWorker): Message[] {
  const lost: Message[] = [];
  worker.connection.publish = (message) => {
    lost.push(message);
    return new Promise(() => {});
  };
  return lost;
}

export interface Published {
  texts: readonly string[];
  options?: PublishOptions;
  plugins?: Plugin[];
}

/** Leaves messages in the store, as a producer does that is killed while the broker is away. */
export async function leave(t: ExecutionContext, store: Store, { texts, options, plugins }: Published): Promise<void> {
  const killed = await producer(t, { store, ...(plugins && { plugins }) });
  cutOff(killed);
  for (const text of texts) void killed.publish(order, text, options);
  while ((await keysOf(store)).length < texts.length) await turn();
}

export interface Line {
  level: string;
  message: string;
  facts: Record<string, unknown>;
}

export function recordingLogger(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const level = (name: string) => (facts: object, message: string) =>
    void lines.push({ level: name, message, facts: facts as Record<string, unknown> });
  const logger = {
    trace: level('trace'),
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
  };
  return { logger, lines };
}

/** Of the errors that were logged. */
export function codesOf(lines: readonly Line[]): unknown[] {
  return lines.filter(({ level }) => level === 'error').map(({ facts }) => (facts['err'] as { code?: string } | undefined)?.code);
}

export function textsOf(messages: readonly Message[]): string[] {
  return messages.map(({ content }) => content.toString());
}
