// Starts a node, says where it is, and stays until it is killed or nobody is left to tell.
import { dirname } from 'node:path';
import { startRabbit } from '../src/index.js';

export interface Started {
  readonly port: number;
  readonly folder: string;
}

const node = await startRabbit();
const folder = dirname(JSON.parse(await node.eval('os:getenv("RABBITMQ_LOG_BASE").')));
const started: Started = { port: node.port, folder };
process.send?.(started);
process.once('disconnect', () => process.exit());
