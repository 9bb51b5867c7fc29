import { reporter } from './nightly-report.js';

const { AMQP_URL: url = 'amqp://localhost', WARREN_STORE: store = 'lmdb:.warren/store' } = process.env;
const [every] = process.argv.slice(2);

const worker = reporter({ url, store, ...(every !== undefined && { when: { every } }) }, ({ day, due }) => {
  console.log(`${due} The report of ${day} is written.`);
});
process.once('SIGINT', () => void worker.stop());
await worker.start();
console.log(every === undefined ? 'Waiting for the night. Ctrl-C ends.' : `A report every ${every}. Ctrl-C ends.`);
