import test from 'ava';
import { freePort } from '../src/index.js';
import { accepts } from '../src/ports.js';

test('A free port refuses connections and is never one that an outgoing connection could take.', async (t) => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  for (const port of ports) {
    t.true(port < 32_768, String(port));
    t.false(await accepts(port));
  }
});
