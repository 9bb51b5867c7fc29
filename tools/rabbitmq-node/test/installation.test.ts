import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findRabbit } from '../src/index.js';

// AVA gives every test file its own process.env.
test.serial('The scripts in $RABBITMQ_HOME/sbin come first; a home without them counts for nothing.', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rabbitmq-home-'));
  t.teardown(() => rm(home, { recursive: true }));
  const installed = findRabbit();
  process.env['RABBITMQ_HOME'] = home;
  t.is(findRabbit(), installed);
  await mkdir(join(home, 'sbin'));
  await writeFile(join(home, 'sbin', 'rabbitmq-server'), '');
  t.is(findRabbit(), join(home, 'sbin'));
});
