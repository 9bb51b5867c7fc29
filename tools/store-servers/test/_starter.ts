// Starts the server that is named, says its port, and stays until it is killed or nobody is left to tell.
import { startPostgres, startRedis } from '../src/index.js';

const { port } = await (process.argv[2] === 'redis' ? startRedis() : startPostgres());
process.send?.(port);
process.once('disconnect', () => process.exit());
