// A process of its own that publishes delayed jobs, says so, and waits to be killed: forked by outages.test.ts.
import { createWorker, defineJob } from '@warren/core';
import delay from '../src/index.js';

const [url = '', queue = '', count = '0', wait = '0'] = process.argv.slice(2);
const job = defineJob<number>('delayed', { queue });
const worker = createWorker({ url, plugins: [delay()] });
await worker.start();
await Promise.all(Array.from({ length: Number(count) }, (_, id) => worker.publish(job, id, { delay: Number(wait) })));
process.send?.('confirmed');
