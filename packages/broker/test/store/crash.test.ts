import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type ConfirmChannel, type GetMessage } from 'amqplib';
import test, { type ExecutionContext } from 'ava';

const CRASHES = Number(process.env['WARREN_CRASHES'] ?? 4);
const TTL = '3';

interface Victim {
  readonly process: ChildProcess;
  readonly url: string;
}

async function start(directory: string): Promise<Victim> {
  const process = fork(fileURLToPath(new URL('./_victim.js', import.meta.url)), [directory], { stdio: 'inherit' });
  const [port] = (await once(process, 'message')) as [number];
  return { process, url: `amqp://127.0.0.1:${port}` };
}

async function declare(channel: ConfirmChannel): Promise<void> {
  await channel.assertQueue('work', { durable: true });
  await channel.assertQueue('dead', { durable: true });
  await channel.assertQueue('dying', { durable: true, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
}

/** What a client knows for certain when its broker has been killed. */
class Witness {
  readonly confirmed = new Set<number>();
  readonly confirmedDying = new Set<number>();
  readonly acked: number[] = [];
  /** Acks sent before a publish whose confirm has come are on disk with it. */
  committedAcks = 0;
  #next = 1;

  /** Publishes and consumes for as long as the channel lives. */
  async work(channel: ConfirmChannel, alive: () => boolean): Promise<void> {
    await channel.prefetch(30);
    await channel.consume('work', (message) => {
      if (message === null || Math.random() < 0.5) return;
      channel.ack(message);
      this.acked.push(Number(message.content.toString()));
    });
    while (alive()) {
      for (let i = 0; i < 20 && alive() && this.#next - this.confirmed.size < 500; i++) this.#publish(channel);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #publish(channel: ConfirmChannel): void {
    const number = this.#next++;
    const acks = this.acked.length;
    const body = Buffer.from(String(number));
    channel.sendToQueue('work', body, { persistent: true }, (error) => {
      if (error) return;
      this.confirmed.add(number);
      this.committedAcks = Math.max(this.committedAcks, acks);
    });
    channel.sendToQueue('dying', body, { persistent: true, expiration: TTL }, (error) => {
      if (!error) this.confirmedDying.add(number);
    });
  }
}

async function drain(channel: ConfirmChannel, queue: string): Promise<number[]> {
  const numbers: number[] = [];
  for (let got: GetMessage | false; (got = await channel.get(queue, { noAck: true }));)
    numbers.push(Number(got.content.toString()));
  return numbers;
}

async function liveAndDie(directory: string): Promise<Witness> {
  const victim = await start(directory);
  const connection = await connect(victim.url, { noDelay: true });
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  await declare(channel);
  let alive = true;
  const closed = new Promise((resolve) => connection.once('close', resolve));
  const witness = new Witness();
  const work = witness.work(channel, () => alive);
  while (witness.confirmed.size < 100) await sleep(5);
  await sleep(300 * Math.random());
  alive = false;
  victim.process.kill('SIGKILL');
  await Promise.all([closed, once(victim.process, 'exit'), work.catch(() => {})]);
  return witness;
}

async function checkWhatIsLeft(t: ExecutionContext, directory: string, witness: Witness): Promise<void> {
  const victim = await start(directory);
  const connection = await connect(victim.url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await declare(channel);
  const left = await drain(channel, 'work');
  t.deepEqual(
    left,
    left.toSorted((a, b) => a - b),
    'in order',
  );
  const [present, acked] = [new Set(left), new Set(witness.acked)];
  t.deepEqual(
    [...witness.confirmed].filter((number) => !present.has(number) && !acked.has(number)),
    [],
    'no confirmed message is lost',
  );
  t.deepEqual(
    witness.acked.slice(0, witness.committedAcks).filter((number) => present.has(number)),
    [],
    'nothing acknowledged comes back',
  );
  await sleep(50);
  const dead = [...(await drain(channel, 'dying')), ...(await drain(channel, 'dead'))];
  t.is(new Set(dead).size, dead.length, 'no dead letter is doubled');
  t.deepEqual(
    [...witness.confirmedDying].filter((number) => !dead.includes(number)),
    [],
    'no dead letter is lost',
  );
  await connection.close();
  victim.process.kill('SIGKILL');
  await once(victim.process, 'exit');
}

test('A broker that is killed in the middle of its work loses nothing that it has confirmed.', async (t) => {
  t.timeout(CRASHES * 20_000);
  for (let crash = 0; crash < CRASHES; crash++) {
    const directory = await mkdtemp(join(tmpdir(), 'broker-crash-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const witness = await liveAndDie(directory);
    t.true(witness.confirmed.size > 0);
    await checkWhatIsLeft(t, directory, witness);
  }
});
