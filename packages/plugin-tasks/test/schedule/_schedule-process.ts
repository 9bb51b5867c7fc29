// A process of its own that fires a tick each second, says when it has begun, and waits to be killed: forked by scheduler.test.ts.
import { scheduling, tickJob } from './_workers.js';

const [url = '', suffix = ''] = process.argv.slice(2);
await scheduling(url, tickJob(suffix), { every: 1_000 }).start();
process.send?.('started');
