// A worker in a process of its own, which has nothing else to live for: if the process does not end, the worker has left something open.
import { once } from 'node:events';
import { createWorker, defineJob } from '../src/index.js';
import type { WorkerOptions } from '../src/index.js';

const [{ options, queue }] = (await once(process, 'message')) as [{ options: WorkerOptions; queue: string }];
const worker = createWorker(options);
worker.handle(defineJob('any', { queue: { name: queue, type: 'classic', deadLetter: false } }), () => {});
for (const event of ['disconnected', 'reconnecting', 'connected'] as const) worker.on(event, () => process.send?.({ event }));
await worker.start().catch((error: unknown) => process.send?.({ event: 'failed', error: String(error) }));
process.send?.({ event: 'started' });
const [{ deadline }] = (await once(process, 'message')) as [{ deadline: number }];
await worker.stop({ deadline });
process.send?.({ event: 'stopped' }, () => process.disconnect());
