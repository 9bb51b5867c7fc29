// Every test in one run. AVA runs twice: all tests, with the embedded broker as the one that they share; then, where RabbitMQ is
// installed, the files that use @warren/test-broker once more, on RabbitMQ. Then publint for each package. Takes AVA's arguments.
// The last line is `N passed, N failed` or `N passed, N failed, N skipped`. In CI nothing may be skipped.
import { startBroker } from '@warren/broker';
import { findRabbit, startRabbit } from '@warren/rabbitmq-node';
import { findPostgres, findRedis } from '@warren/store-servers';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** What publint finds wrong with a package as it would be published, one line each. */
async function packageProblems(name) {
  const { messages, pkg } = await publint({ pkgDir: `packages/${name}`, pack: 'npm', strict: true });
  const problems = messages.filter(({ type }) => type !== 'suggestion');
  return problems.map((problem) => `publint: ${pkg.name}: ${formatMessage(problem, pkg, { color: false })}`);
}

/** AVA's own report, passed through: the list of tests, a rule, what failed and why. `onLine` gets the lines of the list, without colours. */
async function runAva({ files, env }, onLine) {
  const colors = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  const options = { stdio: ['inherit', 'pipe', 'inherit'], env: { ...process.env, ...colors, ...env } };
  const ava = spawn('ava', files, options);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ava.kill(signal));
  const exited = new Promise((resolve, reject) => {
    ava.once('error', reject);
    ava.once('close', (code) => resolve(code ?? 1));
  });
  const [code, reasons] = await Promise.all([exited, readReport(ava.stdout, onLine)]);
  return { code, reasons };
}

/** Resolves with what follows the list. */
async function readReport(output, onLine) {
  let listing = true;
  const reasons = [];
  for await (const line of createInterface({ input: output })) {
    process.stdout.write(`${line}\n`);
    const text = stripVTControlCharacters(line);
    if (/^ {2}─$/.test(text)) listing = false;
    if (listing) onLine(text);
    else reasons.push(text);
  }
  return reasons;
}

/** Counts tests; a failing hook or a whole file that fails is one too. */
async function countTests(run) {
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const { code, reasons } = await runAva(run, (line) => {
    if (/^ {2}✔ /.test(line)) count.passed++;
    else if (/^ {2}- \[skip\] /.test(line)) count.skipped++;
    else if (/^ {2}✘ /.test(line) && !/^ {2}✘ \d+ tests? remaining in /.test(line)) count.failures.push(line);
  });
  count.failed = count.failures.length;
  const nothingRan = count.passed + count.failed + count.skipped === 0;
  if ((code !== 0 || nothingRan) && count.failed === 0) count.failed = 1;
  return { ...count, reasons };
}

/** What other tests have on RabbitMQ already, or what makes no difference to a broker. */
const ON_EMBEDDED_ONLY =
  /^(?:examples\/(?:custom-plugin|email-retries|image-batch|nightly-report)\/|packages\/cli\/test\/(?:output|usage)\.)/;

/** Test files that use @warren/test-broker, themselves or by a helper beside them: those that run on either broker. */
function filesOnEitherBroker() {
  const sources = ['packages', 'examples'].flatMap((root) =>
    readdirSync(root, { recursive: true })
      .filter((path) => path.endsWith('.ts') && !/(?:^|\/)(?:node_modules|dist)\//.test(path))
      .map((path) => join(root, path)),
  );
  const text = new Map(sources.map((path) => [path, readFileSync(path, 'utf8')]));
  const direct = sources.filter((path) => text.get(path).includes(`from '@warren/test-broker'`));
  const helpers = direct.filter((path) => basename(path).startsWith('_'));
  const uses = (path) =>
    direct.includes(path) ||
    helpers.some((helper) => dirname(helper) === dirname(path) && text.get(path).includes(`/${basename(helper, '.ts')}.js'`));
  return sources.filter((path) => path.endsWith('.test.ts') && uses(path) && !ON_EMBEDDED_ONLY.test(path));
}

/** Runs `files` with a broker that they share, which ends with them. */
async function countTestsOn(start, { files, env = {} }) {
  const broker = await start();
  try {
    return await countTests({ files, env: { ...env, WARREN_TEST_AMQP_URL: broker.url } });
  } finally {
    await broker[Symbol.asyncDispose]();
  }
}

async function countAll() {
  const chosen = process.argv.slice(2);
  if (process.env.WARREN_TEST_AMQP_URL) return [await countTests({ files: chosen, env: {} })];
  console.log('All tests, on the embedded broker:');
  const counts = [await countTestsOn(() => startBroker({ port: 0 }), { files: chosen })];
  if (chosen.length > 0 || (!findRabbit() && !process.env.CI)) return counts;
  console.log('\nThe tests that run on either broker, on RabbitMQ:');
  const onRabbit = { files: filesOnEitherBroker(), env: { WARREN_TEST_BROKER: 'rabbitmq' } };
  return [...counts, await countTestsOn(startRabbit, onRabbit)];
}

function explainSkipped(skipped) {
  const servers = [
    { name: 'RabbitMQ', found: findRabbit(), debian: 'rabbitmq-server', homebrew: 'rabbitmq' },
    { name: 'Redis', found: findRedis(), debian: 'redis-server', homebrew: 'redis' },
    { name: 'PostgreSQL', found: findPostgres(), debian: 'postgresql', homebrew: 'postgresql' },
  ];
  const missing = servers.filter(({ found }) => !found);
  const list = (kind, separator) => missing.map((server) => server[kind]).join(separator);
  if (missing.length > 0) {
    console.log(`
Not installed: ${list('name', ', ')}. ${skipped} tests need what is missing, to break it or to compare with it, and were skipped.
To run all: apt-get install ${list('debian', ' ')} (Debian, Ubuntu) or brew install ${list('homebrew', ' ')} (macOS).`);
  }
  if (process.env.CI) console.log(`\nIn CI nothing may be skipped: ${skipped} tests were.`);
}

/** What failed, again at the end: a log is read from there, and often kept no further back. */
function repeatFailures(counts) {
  for (const { failures, reasons } of counts.filter(({ failed }) => failed > 0)) {
    console.log(['', 'What failed:', ...reasons.slice(0, 200), ...failures].join('\n'));
  }
}

const counts = await countAll().catch((error) => {
  console.error(error);
  return [{ passed: 0, failed: 1, skipped: 0, failures: [], reasons: [] }];
});
const sum = (kind) => counts.reduce((total, count) => total + count[kind], 0);
const problems = await Promise.all(readdirSync('packages').map(packageProblems));
for (const problem of problems.flat()) console.log(problem);
const skipped = sum('skipped');
if (skipped > 0) explainSkipped(skipped);
repeatFailures(counts);
const failures = sum('failed') + problems.filter((found) => found.length > 0).length;
process.exitCode = failures > 0 || (skipped > 0 && process.env.CI) ? 1 : 0;
console.log(`\n${sum('passed')} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
