// Adds one to the number under a key, again and again, and writes down after each what the store has said: the number and its version.
// Its store is not closed: that does not keep it alive.
import { appendFileSync } from 'node:fs';
import { createStore } from '../src/index.js';

const [url = '', journal = '', rounds = '0'] = process.argv.slice(2);
const store = createStore(url, { timeout: '30s' });

async function increment(): Promise<readonly [value: number, version: number]> {
  for (;;) {
    const found = await store.get('count');
    const value = Number(found?.value ?? 0) + 1;
    const version = found
      ? await store.replaceIfVersion('count', found.version, { value: `${value}` })
      : await store.putIfAbsent('count', `${value}`);
    if (version !== undefined) return [value, version];
  }
}

for (let round = 0; round < Number(rounds); round++) appendFileSync(journal, `${(await increment()).join(' ')}\n`);
