import { startBroker } from '../../src/index.js';

// A broker in a process of its own, to be killed. Says on which port it listens.

const broker = await startBroker({ port: 0, data: process.argv[2] as string, inProcess: true });
process.send?.(broker.port);
