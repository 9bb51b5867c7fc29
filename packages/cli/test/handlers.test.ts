import { basename } from 'node:path';
import test from 'ava';
import { findHandlers, registerHandlers } from '../src/project/handlers.js';
import { loadProjectConfig } from '../src/project/config.js';
import { loadProject } from '../src/project/project.js';
import { Worker } from '@warren/core';
import { project } from './_cli.js';

const define = (name: string): string => `
  import { defineJob, handler } from '@warren/core';
  const job = defineJob('${name}', { queue: '${name}' });
  const run = () => {};`;

test('a module may export a function, an async one, one handler or a list of them, in TypeScript or JavaScript', async (t) => {
  const cwd = await project(t, {
    'handlers/a.ts': `${define('a')}\nexport default (worker: { handle(...args: unknown[]): unknown }): void => { worker.handle(job, run); };`,
    'handlers/b.mjs': `${define('b')}\nexport default async (worker) => { await null; worker.handle(job, run); };`,
    'handlers/c.ts': `${define('c')}\nexport default handler(job, run, { concurrency: 2 });`,
    'handlers/d.mts': `${define('d')}\nexport default [handler(job, run)];`,
    'handlers/e.cjs': `const { defineJob, handler } = require('@warren/core');\nmodule.exports = handler(defineJob('e', { queue: 'e' }), () => {});`,
    'handlers/types.d.ts': 'export {};',
  });
  const loaded = await loadProject(await loadProjectConfig({ cwd }), { handlers: 'required' });
  t.deepEqual(
    loaded.definitions.map(({ job }) => job.name),
    ['a', 'b', 'c', 'd', 'e'],
  );
  t.is(loaded.definitions[2]?.options.concurrency, 2);
});

test('a file that several patterns match is loaded once', async (t) => {
  const cwd = await project(t, { 'handlers/a.ts': '', 'handlers/b.js': '' });
  const files = await findHandlers(['./handlers/*', 'handlers/a.ts'], cwd);
  t.deepEqual(
    files.map((file) => basename(file)),
    ['a.ts', 'b.js'],
  );
});

test('a pattern that matches nothing is an error', async (t) => {
  await t.throwsAsync(findHandlers(['./nowhere/*.ts'], await project(t)), { code: 'ERR_NO_HANDLERS' });
});

for (const [what, content, code] of [
  ['exports nothing', 'export {};', 'ERR_HANDLER_MODULE'],
  ['exports an empty list', 'export default [];', 'ERR_HANDLER_MODULE'],
  ['exports something else', 'export default { job: 1 };', 'ERR_HANDLER_MODULE'],
  ['has a mistake in its syntax', 'export default (', 'ERR_MODULE_LOAD'],
  ['imports what is not there', "import 'nowhere-at-all';", 'ERR_MODULE_LOAD'],
  ['throws while it registers', "export default () => { throw new Error('no'); };", 'ERR_MODULE_LOAD'],
  [
    'gives a job an option that is wrong',
    "import { defineJob } from '@warren/core'; export default defineJob('', { queue: 'q' });",
    'ERR_INVALID_OPTION',
  ],
] as const) {
  test(`a module that ${what} is ${code}`, async (t) => {
    const cwd = await project(t, { 'h.mts': content });
    await t.throwsAsync(registerHandlers(new Worker({}), [`${cwd}/h.mts`], cwd), { code });
  });
}
