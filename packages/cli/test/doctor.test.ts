import test from 'ava';
import type { ExecutionContext } from 'ava';
import rateLimit from '@warren/plugin-ratelimit';
import { checkNode, checkPrefetch, consumerTimeoutOf } from '../src/doctor/checks.js';
import type { Broker } from '../src/broker/broker.js';
import { loadProjectConfig } from '../src/project/config.js';
import { loadProject } from '../src/project/project.js';
import { broker } from './_broker.js';
import { project, run } from './_cli.js';
import { feed } from './_feed.js';
import { sleeper } from './_sleeper.js';

interface Report {
  readonly findings: ReadonlyArray<{ check: string; status: string; detail: string }>;
  readonly problems: number;
}

async function doctor(t: ExecutionContext, args: readonly string[], cwd: string): Promise<Report & { code: number | null }> {
  const { code, stdout } = await run(t, ['doctor', '--json', ...args], { cwd });
  return { code, ...(JSON.parse(stdout) as Report) };
}

test('where all is well the exit code is 0; what is not declared yet is a warning, and is not created', async (t) => {
  const { url, channel, queue } = await broker(t);
  const { code, findings } = await doctor(t, ['--url', url], await project(t, { 'handlers/nap.ts': sleeper(queue) }));
  t.is(code, 0);
  t.like(
    findings.find(({ check }) => check === 'topology'),
    { status: 'warning' },
  );
  t.regex(findings.find(({ check }) => check === 'broker')?.detail ?? '', /(?:RabbitMQ|Warren) \d/);
  await channel.assertQueue(queue, { durable: false });
  t.pass();
});

test('a queue that was declared otherwise is a problem that names the argument and both values', async (t) => {
  const { url, channel, queue } = await broker(t);
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'classic' } });
  const { code, findings } = await doctor(t, ['--url', url], await project(t, { 'handlers/nap.ts': sleeper(queue) }));
  t.is(code, 1);
  const found = findings.find(({ status }) => status === 'problem');
  t.is(found?.check, 'topology');
  t.true(found?.detail.includes(queue));
  t.regex(found?.detail ?? '', /x-queue-type|classic|x-dead-letter/);
});

test('a queue that the project only consumes has to be there', async (t) => {
  const { url, queue } = await broker(t);
  const cwd = await project(t, {
    'handlers/nap.ts': sleeper(queue).replace(`'${queue}'`, `{ name: '${queue}', declare: false }`),
  });
  const { code, findings } = await doctor(t, ['--url', url], cwd);
  t.is(code, 1);
  t.regex(findings.find(({ status }) => status === 'problem')?.detail ?? '', /declare: false/);
});

test('a handler that may run longer than the broker waits for it is a problem, unless the broker waits longer', async (t) => {
  const { url, queue } = await broker(t);
  const module = sleeper(queue)
    .replace('        });\n      });', '        });\n      }, { timeout: 45 * 60_000 });')
    .replace(/\}\);\n {4}\};$/, '}, { timeout: 45 * 60_000 });\n    };');
  const cwd = await project(t, { 'handlers/nap.ts': module });
  const found = await doctor(t, ['--url', url], cwd);
  t.is(found.code, 1);
  t.like(
    found.findings.find(({ check }) => check === 'timeouts'),
    { status: 'problem' },
  );
  t.is((await doctor(t, ['--url', url, '--consumer-timeout', '1h'], cwd)).code, 0);
});

test('the time that the broker waits is given as any duration', (t) => {
  t.deepEqual(['2h', '5000', undefined].map(consumerTimeoutOf), [7_200_000, 5_000, 1_800_000]);
});

test('delayed messages that could not be delivered are a problem', async (t) => {
  const { url, channel } = await broker(t);
  const prefix = `t${Date.now()}`;
  const unroutable = `${prefix}.v1.unroutable`;
  await channel.assertQueue(unroutable, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  t.teardown(() => channel.deleteQueue(unroutable));
  await feed(channel, unroutable, 'lost');
  const cwd = await project(t, {
    'worker.config.mjs': `export default { plugins: [{ name: 'delays', topology: (topology) => topology.queue({ name: '${unroutable}', declare: true, durable: true, autoDelete: false, exclusive: false, deadLetter: undefined, arguments: { 'x-queue-type': 'quorum' } }) }] };`,
  });
  const { code, findings } = await doctor(t, ['--url', url], cwd);
  t.is(code, 1);
  t.regex(findings.find(({ check }) => check === 'delays')?.detail ?? '', /1 delayed messages could not be delivered/);
});

test('a configuration that cannot be read, and a broker that is not there, are problems', async (t) => {
  const broken = await doctor(t, ['--plugins', 'nowhere'], await project(t));
  t.is(broken.code, 1);
  t.regex(broken.findings.find(({ check }) => check === 'config')?.detail ?? '', /ERR_PLUGIN_NOT_FOUND/);
  const alone = await doctor(t, ['--url', 'amqp://127.0.0.1:1'], await project(t));
  t.is(alone.code, 1);
  t.regex(alone.findings.find(({ check }) => check === 'broker')?.detail ?? '', /ERR_BROKER_UNREACHABLE/);
});

const on = (channelPrefetch: boolean): Broker => ({ capabilities: { channelPrefetch, version: 'RabbitMQ' } }) as Broker;

test('a prefetch for the channel is a problem on a broker that ignores it', async (t) => {
  const cwd = await project(t, {
    'handlers/nap.ts': sleeper('a'),
    'worker.config.mjs': "export default { plugins: ['delay', 'ratelimit'] };",
  });
  const loaded = await loadProject(await loadProjectConfig({ cwd }), { handlers: 'required' });
  const throttled = { ...loaded, plugins: [{ plugin: rateLimit({ channelPrefetch: 5 }), file: undefined }] };
  t.deepEqual(checkPrefetch(throttled, on(true)), []);
  t.deepEqual(checkPrefetch(loaded, on(false)), []);
  t.like(checkPrefetch(throttled, on(false))[0], { check: 'prefetch', status: 'problem' });
});

for (const [version, status] of [
  ['20.18.3', 'problem'],
  ['20.19.0', 'ok'],
  ['21.7.0', 'problem'],
  ['22.19.0', 'problem'],
  ['22.20.0', 'ok'],
  ['24.11.0', 'problem'],
  ['24.12.0', 'ok'],
  ['26.0.0', 'ok'],
] as const) {
  test(`Node ${version} is ${status}`, (t) => {
    t.is(checkNode(version).status, status);
  });
}
