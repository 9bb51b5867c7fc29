// The hooks of a plugin, in the life of a worker.
import test from 'ava';
import { defineJob, silentLogger } from '../src/index.js';
import type { Plugin } from '../src/index.js';
import { createTestWorker } from '../src/testing/index.js';

const mail = defineJob<{ to: string }>('mail', { queue: 'mails' });

test('hooks run in the plugins’ order, backward at the stop, around connecting and consuming', async (t) => {
  const calls: string[] = [];
  const spy = (name: string, more: Partial<Plugin> = {}): Plugin => ({
    name,
    ...more,
    register: () => void calls.push(`${name} register`),
    topology: () => void calls.push(`${name} topology`),
    consume: (next) => {
      calls.push(`${name} consume`);
      return next;
    },
    publish: (next) => {
      calls.push(`${name} publish`);
      return next;
    },
    start: () => void calls.push(`${name} start`),
    stop: () => void calls.push(`${name} stop`),
  });
  const worker = createTestWorker({ plugins: [spy('b', { after: ['a'] }), spy('a')] });
  worker.connection.connect = async () => void calls.push('connect');
  worker.connection.declare = async () => void calls.push('declare');
  worker.connection.consume = async () => {
    calls.push('consume');
    return { cancel: async () => void calls.push('cancel') };
  };
  worker.connection.close = async () => void calls.push('close');
  worker.handle(mail, () => {});
  await worker.start();
  await worker.stop();
  t.deepEqual(calls, [
    'a register',
    'b register',
    'a topology',
    'b topology',
    // Folding begins with the innermost layer.
    'b publish',
    'a publish',
    'b consume',
    'a consume',
    'connect',
    'declare',
    'a start',
    'b start',
    'consume',
    'cancel',
    'b stop',
    'a stop',
    'close',
  ]);
});

for (const hook of ['register', 'topology', 'consume', 'publish', 'start'] as const) {
  test(`a plugin that throws in ${hook} fails the start, and nothing stays open`, async (t) => {
    const boom = new Error(`boom in ${hook}`);
    const plugin: Plugin = {
      name: 'bad',
      [hook]: () => {
        throw boom;
      },
    };
    const worker = createTestWorker({ plugins: [plugin] }).handle(mail, () => {});
    let open = 0;
    worker.connection.connect = async () => void open++;
    worker.connection.close = async () => void open--;
    t.is(await t.throwsAsync(worker.start()), boom);
    t.is(worker.state, 'stopped');
    t.true(open <= 0, 'connected only where it was closed again');
    t.deepEqual(worker.connection.consumers, []);
  });
}

test('a plugin that throws in stop does not keep the worker from stopping', async (t) => {
  const errors: object[] = [];
  const logger = { ...silentLogger, error: (facts: object) => void errors.push(facts) };
  const bad: Plugin = { name: 'bad', stop: () => Promise.reject(new Error('boom')) };
  const worker = createTestWorker({ plugins: [bad], logger });
  await worker.start();
  t.deepEqual(await worker.stop(), { drained: true, abandoned: 0 });
  t.is(errors.length, 1);
});
