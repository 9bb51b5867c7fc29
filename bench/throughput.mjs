// Consuming and publishing against RabbitMQ: Warren beside plain amqplib, in one run. Candidates take turns, each in a process of
// its own; what is printed are medians, ratios to Warren's, and CPU time per message of the client process.
//
//   node bench/throughput.mjs [--messages 60000] [--rounds 5] [--memory]
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startRabbit } from '@warren/rabbitmq-node';

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '5' },
    memory: { type: 'boolean', default: false },
  },
});
const messages = Number(flags.messages);
const rounds = Number(flags.rounds);

const CANDIDATE = fileURLToPath(new URL('_throughput-candidate.mjs', import.meta.url));
const CANDIDATES = {
  consume: ['warren', 'amqplib, one ack per turn', 'amqplib, ack each'],
  publish: ['warren', 'warren with a spool', 'amqplib, confirm channel'],
};

/** Runs one candidate in its own process; resolves with { seconds, cpu } for all messages. */
function run(task, candidate, url) {
  return new Promise((resolve, reject) => {
    const child = fork(CANDIDATE, [task, candidate, url, String(messages)], { execArgv: ['--expose-gc'] });
    child.once('message', resolve);
    child.once('exit', (code) => code && reject(new Error(`${task} by ${candidate} ended with ${code}`)));
  });
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const broker = await startRabbit();
try {
  for (const [task, candidates] of Object.entries(CANDIDATES)) {
    const results = new Map(candidates.map((candidate) => [candidate, []]));
    for (let round = 0; round < rounds; round++) {
      // Each round begins with another candidate, so that none always finds the broker as the same one left it.
      const turn = candidates.map((_, index) => candidates[(index + round) % candidates.length]);
      for (const candidate of turn) results.get(candidate).push(await run(task, candidate, broker.url));
    }
    const rate = (candidate) => messages / median(results.get(candidate).map(({ seconds }) => seconds));
    console.log(
      `\n${task}, ${messages} messages of 256 bytes, ${task === 'consume' ? 'prefetch 100' : 'confirms, window 500'}, median of ${rounds}`,
    );
    for (const candidate of candidates) {
      const cpu = (median(results.get(candidate).map((result) => result.cpu)) / messages) * 1e6;
      const ratio = rate('warren') / rate(candidate);
      console.log(
        `  ${candidate.padEnd(26)} ${Math.round(rate(candidate)).toString().padStart(7)}/s   Warren is ${ratio.toFixed(2)} times as fast   ${cpu.toFixed(1)} µs CPU a message`,
      );
    }
  }
  if (flags.memory) {
    const { heaps } = await run('memory', 'warren', broker.url);
    console.log(
      `\nheap after 100 000, 200 000 … 1 000 000 messages (MB): ${heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')}`,
    );
  }
} finally {
  await broker[Symbol.asyncDispose]();
}
