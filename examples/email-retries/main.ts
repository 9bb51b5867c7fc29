import { enqueueEmail, mailer, sender } from './email-retries.js';
import { startProvider } from './provider.js';

const PORT = 3_025;
const { AMQP_URL: url = 'amqp://localhost', WARREN_STORE: store = 'lmdb:.warren/store' } = process.env;
const [command = 'worker', ...args] = process.argv.slice(2);

if (command === 'provider') await provide(args);
else if (command === 'send') await send(args);
else await work();

async function provide([refused]: string[]): Promise<void> {
  const provider = await startProvider({ port: PORT, refused, print: console.log });
  process.once('SIGINT', () => void provider[Symbol.asyncDispose]());
}

/** Prints how each mail ends. */
async function send([template = 'welcome', ...receivers]: string[]): Promise<void> {
  await using worker = sender({ url, store });
  await worker.start();
  const ends = receivers.map(async (to) => {
    const task = await enqueueEmail(worker, { to, template });
    const end = await task.result({ timeout: '2m' }).catch((error: Error) => error.message);
    console.log(to, end);
  });
  await Promise.all(ends);
}

async function work(): Promise<void> {
  const worker = mailer({ url, store, provider: `http://127.0.0.1:${PORT}` });
  process.once('SIGINT', () => void worker.stop());
  await worker.start();
  console.log('Sending mails. Ctrl-C ends.');
}
