// The process of a broker that a test may kill: port, management port, folder. Says when it listens; ends with its stdin.
import { startBroker } from '@warren/broker';

const [port, managementPort, data] = process.argv.slice(2);
const options = { port: Number(port), managementPort: Number(managementPort), data: data as string, inProcess: true };
const broker = await startBroker(options);
const end = (): void => void broker.close().then(() => process.exit());
process.once('SIGTERM', end);
process.stdin.once('end', end).resume();
process.stdout.write('listening\n');
