// A broker in a process of its own, for bench/broker.mjs. Says where it listens and how long that took.
import { startBroker } from '@warren/broker';

const started = performance.now();
const broker = await startBroker({ port: 0, inProcess: true, ...JSON.parse(process.argv[2] ?? '{}') });
process.send({ url: broker.url, milliseconds: performance.now() - started });
process.on('disconnect', () => process.exit());
