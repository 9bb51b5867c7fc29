// npm start: a broker, the quickstart's worker by the command line, and a producer that feeds it. Ends with Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redactUrl } from '@warren/core';
import { findRabbit, startRabbit } from '@warren/rabbitmq-node';
import { connect } from 'amqplib';
import { produce } from '../examples/dist/quickstart/producer.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const LOCAL = 'amqp://localhost';
const HANDLERS = 'examples/quickstart/handlers/*.ts';
const UNREACHABLE = 3;

const HOW_TO_GET_ONE = `
To get RabbitMQ:
  docker compose up -d              with Docker, from compose.yaml
  apt-get install rabbitmq-server   on Debian and Ubuntu
  brew install rabbitmq             on macOS
or set AMQP_URL to the address of one. Then: npm start`;

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

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The broker to use, and how to end it if it is ours; undefined where there is none, which has been said then. */
async function findBroker() {
  const given = process.env.AMQP_URL?.split(',')[0];
  const reason = await refusal(given ?? LOCAL);
  if (reason === undefined) return { url: given ?? LOCAL, isDefault: given === undefined };
  if (given) console.error(`No broker at AMQP_URL, ${redactUrl(given)}: ${reason}`);
  else if (findRabbit()) return startOwn();
  else console.error(`No broker at ${LOCAL} (${reason}), and RabbitMQ is not installed here.${HOW_TO_GET_ONE}`);
  return undefined;
}

async function startOwn() {
  console.error('Starting a private RabbitMQ for this run …');
  const isDefault = await isFree(5672);
  const node = await startRabbit(isDefault ? { port: 5672 } : {});
  return { url: node.url, isDefault, end: () => node[Symbol.asyncDispose]() };
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
  const option = isDefault ? '' : ` --url ${url}`;
  console.error(`
Feed it from a second terminal:
  npx worker publish '' quickstart.greetings '{"name":"you"}'${option}
  npx worker publish --job reminder '{"about":"lunch"}' --delay 5s --handlers '${HANDLERS}'${option}
  node examples/quickstart/plain-producer.mjs${isDefault ? '' : ` ${url}`}
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
