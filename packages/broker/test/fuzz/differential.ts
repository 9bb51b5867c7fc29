import { parseArgs } from 'node:util';
import { rabbitUrl } from '@warren/rabbitmq-node';
import * as fc from 'fast-check';
import { startBroker } from '../../src/index.js';
import { operation, type Operation } from './operations.js';
import { Subject } from './subject.js';

// Does the same random operations to this broker and to RabbitMQ, step by step, and compares what comes of each. Where they differ,
// the operations are cut down to the fewest that still do. `node dist/test/fuzz/differential.js --seeds 100 --steps 150 [--seed N]`

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '20' }, steps: { type: 'string', default: '150' }, seed: { type: 'string' } },
});
const steps = Number(values.steps);

async function differ(urls: readonly [string, string], operations: readonly Operation[]): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all([Subject.open(urls[0]), Subject.open(urls[1])]);
  try {
    for (const [step, operation] of operations.entries()) {
      const [mine, other] = await Promise.all([ours.step(operation), theirs.step(operation)]);
      if (mine.join('\n') !== other.join('\n')) return explain(`step ${step}, ${JSON.stringify(operation)}`, mine, other);
    }
    const [mine, other] = await Promise.all([ours.drain(), theirs.drain()]);
    return mine.join('\n') === other.join('\n') ? undefined : explain('what was left', mine, other);
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

function explain(where: string, ours: readonly string[], theirs: readonly string[]): string {
  return [
    `Difference at ${where}`,
    'here:',
    ...ours.map((line) => `  ${line}`),
    'RabbitMQ:',
    ...theirs.map((line) => `  ${line}`),
  ].join('\n');
}

const broker = await startBroker({ port: 0 });
const urls = [broker.url, await rabbitUrl()] as const;
const operations = fc.array(operation, { minLength: steps, maxLength: steps, size: 'max' });
const shrinkable = fc.array(operation, { maxLength: steps, size: 'max' });
const first = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
let failures = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const [sample = []] = fc.sample(operations, { seed, numRuns: 1 });
  const difference = await differ(urls, sample);
  process.stdout.write(difference === undefined ? '.' : `\nseed ${seed}: ${difference}\n`);
  if (difference === undefined) continue;
  failures++;
  const property = fc.asyncProperty(shrinkable, async (operations) => {
    const difference = await differ(urls, operations);
    if (difference !== undefined) throw new Error(difference);
  });
  const { counterexample, errorInstance } = await fc.check(property, { examples: [[sample]], numRuns: 1 });
  process.stdout.write(`${(counterexample?.[0] ?? []).map((one) => JSON.stringify(one)).join('\n')}\n${String(errorInstance)}\n`);
}
process.stdout.write(`\nseeds ${first} to ${first + Number(values.seeds) - 1}, ${steps} steps each: ${failures} differ\n`);
await broker.close();
process.exit(failures === 0 ? 0 : 1);
