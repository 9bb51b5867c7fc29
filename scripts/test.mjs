// Every test in one run: AVA with one RabbitMQ that all test files share, then publint for each package. Takes AVA's arguments.
// The last line is `N passed, N failed` or `N passed, N failed, N skipped`. In CI nothing may be skipped.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { findRabbit, startRabbit } from '@warren/rabbitmq-node';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** What publint finds wrong with a package as it would be published, one line each. */
async function packageProblems(name) {
  const { messages, pkg } = await publint({ pkgDir: `packages/${name}`, pack: 'npm', strict: true });
  const problems = messages.filter(({ type }) => type !== 'suggestion');
  return problems.map((problem) => `publint: ${pkg.name}: ${formatMessage(problem, pkg, { color: false })}`);
}

/** AVA's own report, passed through. `onLine` gets each line of the list of tests, which ends at the rule, without colours. */
async function runAva(env, onLine) {
  const colors = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  const options = { stdio: ['inherit', 'pipe', 'inherit'], env: { ...process.env, ...colors, ...env } };
  const ava = spawn('ava', process.argv.slice(2), options);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ava.kill(signal));
  const exited = new Promise((resolve, reject) => {
    ava.once('error', reject);
    ava.once('close', (code) => resolve(code ?? 1));
  });
  const [code] = await Promise.all([exited, readReport(ava.stdout, onLine)]);
  return code;
}

async function readReport(output, onLine) {
  let listing = true;
  for await (const line of createInterface({ input: output })) {
    process.stdout.write(`${line}\n`);
    const text = stripVTControlCharacters(line);
    if (/^ {2}─$/.test(text)) listing = false;
    if (listing) onLine(text);
  }
}

/** Counts tests; a failing hook or a whole file that fails is one too. */
async function countTests(env) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const code = await runAva(env, (line) => {
    if (/^ {2}✔ /.test(line)) count.passed++;
    else if (/^ {2}- \[skip\] /.test(line)) count.skipped++;
    else if (/^ {2}✘ /.test(line) && !/^ {2}✘ \d+ tests? remaining in /.test(line)) count.failed++;
  });
  const nothingRan = count.passed + count.failed + count.skipped === 0;
  if ((code !== 0 || nothingRan) && count.failed === 0) count.failed = 1;
  return count;
}

async function countTestsWithRabbit() {
  if (process.env.WARREN_TEST_AMQP_URL || !findRabbit()) return countTests({});
  const rabbit = await startRabbit();
  try {
    return await countTests({ WARREN_TEST_AMQP_URL: rabbit.url });
  } finally {
    await rabbit[Symbol.asyncDispose]();
  }
}

function explainSkipped(skipped) {
  if (!findRabbit()) {
    console.log(`
RabbitMQ is not installed: the tests that need it are among the ${skipped} skipped. To run them:
apt-get install rabbitmq-server (Debian, Ubuntu), brew install rabbitmq (macOS), or set WARREN_TEST_AMQP_URL to the
amqp:// URL of a RabbitMQ for tests (the tests that break a node of their own need it installed all the same).`);
  }
  if (process.env.CI) console.log(`\nIn CI nothing may be skipped: ${skipped} tests were.`);
}

const { passed, failed, skipped } = await countTestsWithRabbit().catch((error) => {
  console.error(error);
  return { passed: 0, failed: 1, skipped: 0 };
});
const problems = await Promise.all(readdirSync('packages').map(packageProblems));
for (const problem of problems.flat()) console.log(problem);
if (skipped > 0) explainSkipped(skipped);
const failures = failed + problems.filter((found) => found.length > 0).length;
process.exitCode = failures > 0 || (skipped > 0 && process.env.CI) ? 1 : 0;
console.log(`\n${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
