// A producer that a test kills: URL, folder of its spool. Publishes the lines that it reads, stops when there are no more, and says what becomes of all that.
import { createInterface } from 'node:readline';
import { createWorker, WorkerError } from '@warren/core';
import spool from '../src/index.js';
import { order } from './_order.js';

const [url = '', folder = ''] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const worker = createWorker({ url, plugins: [spool({ store: `lmdb:${folder}` })] });
await worker.start();
say('started');
createInterface(process.stdin)
  .on('line', (text) => {
    worker.publish(order, text).then(
      () => say('published'),
      (error: unknown) => say(error instanceof WorkerError ? error.code : String(error)),
    );
  })
  .once('close', () => void worker.stop({ deadline: 1_000 }));
