import { orderTimeouts, payOrder, placeOrder, shop } from './order-timeout.js';

const { AMQP_URL: url = 'amqp://localhost', WARREN_STORE: store = 'lmdb:.warren/store' } = process.env;
const [command = 'worker', ...args] = process.argv.slice(2);

function print(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

if (command === 'place') await place(args);
else if (command === 'pay') await pay(args);
else await work();

async function place([id = 'order-1', timeout = '30m']: string[]): Promise<void> {
  await using worker = shop({ url, store });
  await worker.start();
  const task = await placeOrder(worker, id, timeout);
  const { dueAt = 0 } = await task.record();
  print(
    `${id} ${task.duplicate ? 'was placed before' : 'is placed'}. Pay it by ${new Date(dueAt).toISOString()} with: pay ${task.id}`,
  );
}

async function pay([timeoutId = '']: string[]): Promise<void> {
  await using worker = shop({ url, store });
  await worker.start();
  print((await payOrder(worker, timeoutId)) ? 'Paid.' : 'Too late, or no such order.');
}

async function work(): Promise<void> {
  const worker = orderTimeouts({ url, store }, (id) => print(`${id} is cancelled.`));
  process.once('SIGINT', () => void worker.stop());
  await worker.start();
  print('Cancelling what is not paid. Ctrl-C ends.');
}
