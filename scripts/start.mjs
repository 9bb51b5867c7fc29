// npm start: a broker, the quickstart's worker by the command line, and a producer that feeds it. Ends with Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBroker } from '@warren/broker';
import { redactUrl } from '@warren/core';
import { connect } from 'amqplib';
import { produce } from '../examples/dist/quickstart/producer.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const LOCAL = 'amqp://localhost';
const HANDLERS = 'examples/quickstart/handlers/*.ts';
const UNREACHABLE = 3;

/** Why the broker at `url` cannot be used; undefined when it can. */
async function refusal(url) {
  try {
    const connection = await connect(url, { timeout: 5_000 });
    await connection.close();
    return undefined;
  } catch (error) {
    return error.message || error.code || String(error);
  }
}

/** The broker to use, and how to end it if it is ours; undefined where AMQP_URL names one that is not there, which has been said then. */
async function findBroker() {
  const given = process.env.AMQP_URL?.split(',')[0];
  const reason = await refusal(given ?? LOCAL);
  if (reason === undefined) return { url: given ?? LOCAL, isDefault: given === undefined };
  if (given === undefined) return startOwn();
  console.error(`No broker at AMQP_URL, ${redactUrl(given)}: ${reason}`);
  return undefined;
}

/** At the default address, so that programs find it without being told; where that is taken, at any. */
async function startOwn() {
  const broker = await startBroker({ allowProduction: true }).catch((error) => {
    if (error.code === 'ERR_BROKER_ADDRESS_IN_USE') return startBroker({ port: 0, allowProduction: true });
    throw error;
  });
  const isDefault = broker.port === 5672;
  const url = isDefault ? LOCAL : `${LOCAL}:${broker.port}`;
  console.error(
    `No broker at ${LOCAL}: started an embedded one at ${url}, for this run. For RabbitMQ, set AMQP_URL to its address.`,
  );
  return { url, isDefault, end: () => broker.close() };
}

function startWorker(url, args) {
  const command = ['start', '--plugins', 'delay,ratelimit', '--handlers', HANDLERS];
  console.error(`worker ${command.map((word) => (word === HANDLERS ? `'${word}'` : word)).join(' ')}`);
  const env = { ...process.env, AMQP_URL: url };
  return spawn(process.execPath, [join(root, 'packages/cli/bin/worker.js'), ...command, ...args], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
}

function explain({ url, isDefault }) {
  const address = redactUrl(url);
  const option = isDefault ? '' : ` --url ${address}`;
  console.error(`
Feed it from a second terminal:
  npx worker publish '' quickstart.greetings '{"name":"you"}'${option}
  npx worker publish --job reminder '{"about":"lunch"}' --delay 5s --handlers '${HANDLERS}'${option}
  node examples/quickstart/plain-producer.mjs${isDefault ? '' : ` ${address}`}
Ctrl-C ends it.
`);
}

/** Resolves to the worker's exit code. A signal goes on to it as TERM, which it ignores where the terminal's Ctrl-C has reached it before. */
async function runWorker(broker, args, stopping) {
  const worker = startWorker(broker.url, args);
  const ended = once(worker, 'exit');
  stopping.addEventListener('abort', () => worker.kill('SIGTERM'));
  const fed = new AbortController();
  const feeding = produce(broker.url, AbortSignal.any([fed.signal, stopping]))
    .then(() => explain(broker))
    .catch((error) => {
      if (!fed.signal.aborted && !stopping.aborted) console.error(`The producer failed: ${error.message}`);
    });
  const [code] = await ended;
  fed.abort();
  await feeding;
  return code ?? 1;
}

/** npm's shell dies of a TERM without passing it on: what it started must not run on. */
function onParentGone(callback) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, 500);
  timer.unref();
}

/** Runs until a signal; `args` go to `worker start`. */
export async function start(args) {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort());
  onParentGone(() => stopping.abort());
  const broker = await findBroker();
  try {
    if (!broker) process.exitCode = UNREACHABLE;
    else if (!stopping.signal.aborted) process.exitCode = await runWorker(broker, args, stopping.signal);
  } finally {
    await broker?.end?.();
  }
}
