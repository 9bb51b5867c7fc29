import { brokerUrl } from '@warren/test-broker';
import type { Plugin } from '@warren/core';
import test from 'ava';
import { producerOf } from '../src/project/producer.js';

test('a command that publishes has the project’s plugins, and leaves a running producer’s spool alone', async (t) => {
  const started: string[] = [];
  const plugins = ['spool', 'other'].map((name): Plugin => ({ name, start: () => void started.push(name) }));
  await using producer = producerOf({ options: { url: await brokerUrl(), plugins } });
  await producer.start();
  t.deepEqual(started, ['other']);
});
