// Producers that are processes of their own, killed or stopped while the broker is away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createWorker } from '@warren/core';
import { createStore } from '@warren/store';
import { breakableBroker } from '@warren/test-broker';
import spool from '../src/index.js';
import { order } from './_order.js';

const ENTRY = fileURLToPath(new URL('_producer-process.js', import.meta.url));
const FIVE = [0, 1, 2, 3, 4].map((number) => `第${number}条消息`);

test.serial(
  'a producer is killed while the broker is away: the next one sends all that it had published, in order',
  async (t) => {
    const broker = await breakableBroker(t);
    const folder = await ownFolder(t);
    const killed = await startProducer(t, { url: broker.url, folder });
    const long = 'x'.repeat(1_000_000);
    await broker.kill();
    killed.publish([...FIVE, long]);
    await spooled(t, { folder, messages: 6 });
    await killed.kill();
    t.deepEqual(killed.said, ['started']);
    await broker.start();
    await startProducer(t, { url: broker.url, folder });
    t.deepEqual(await consumed(t, { url: broker.url, count: 6 }), [...FIVE, long]);
  },
);

test.serial('a producer is stopped while the broker is away: it says what it keeps, and the next one sends it', async (t) => {
  const broker = await breakableBroker(t);
  const folder = await ownFolder(t);
  const stopped = await startProducer(t, { url: broker.url, folder });
  stopped.publish(['before']);
  await stopped.says('published');
  await broker.kill();
  stopped.publish(FIVE);
  await spooled(t, { folder, messages: 5 });
  await stopped.end();
  t.deepEqual(stopped.said, ['started', 'published', ...FIVE.map(() => 'ERR_SPOOL_KEPT')]);
  await broker.start();
  await startProducer(t, { url: broker.url, folder });
  t.deepEqual(await consumed(t, { url: broker.url, count: 6 }), ['before', ...FIVE]);
});

test('a wrong option is refused', (t) => {
  for (const wrong of [{ store: 5 }, { store: null }, 'lmdb:./spool']) {
    t.throws(() => spool(wrong as never), { code: 'ERR_INVALID_OPTION' });
  }
  t.throws(() => spool({ url: 'lmdb:./spool' } as never), { code: 'ERR_UNKNOWN_OPTION' });
});

test('a wrong address of its store fails the start', async (t) => {
  await t.throwsAsync(createWorker({ plugins: [spool({ store: 'file:./spool' })] }).start(), { code: 'ERR_STORE_URL' });
});

interface ProducerProcess {
  readonly said: string[];
  publish: (texts: readonly string[]) => void;
  says: (line: string) => Promise<void>;
  /** No more to publish: it stops. */
  end: () => Promise<void>;
  /** kill -9. */
  kill: () => Promise<void>;
}

/** Resolves when it has started, and so has sent what was in its spool; it ends with the test. */
async function startProducer(t: ExecutionContext, { url, folder }: { url: string; folder: string }): Promise<ProducerProcess> {
  const child = spawn(process.execPath, [ENTRY, url, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const said: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => said.push(line));
  const producer: ProducerProcess = {
    said,
    publish: (texts) => void child.stdin.write(texts.map((text) => `${text}\n`).join('')),
    says: async (line) => {
      while (!said.includes(line)) await once(lines, 'line');
    },
    end: async () => {
      child.stdin.end();
      await closed;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
  t.teardown(producer.kill);
  await producer.says('started');
  return producer;
}

async function ownFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warren-spool-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when the spool in `folder` holds so many messages. */
async function spooled(t: ExecutionContext, { folder, messages }: { folder: string; messages: number }): Promise<void> {
  const store = createStore(`lmdb:${folder}`);
  t.teardown(() => store.close());
  for (;;) {
    let kept = 0;
    for await (const _ of store.list('spool/message/')) kept++;
    if (kept === messages) return;
    await sleep(20);
  }
}

/** The first so many payloads of the queue, which has no more. */
async function consumed(t: ExecutionContext, { url, count }: { url: string; count: number }): Promise<string[]> {
  const worker = createWorker({ url, concurrency: 1 });
  t.teardown(() => worker.stop());
  const texts: string[] = [];
  const all = new Promise<void>((resolve) => {
    worker.handle(order, ({ payload }) => void (texts.push(payload) === count && resolve()));
  });
  await worker.start();
  await all;
  await worker.stop();
  return texts;
}
