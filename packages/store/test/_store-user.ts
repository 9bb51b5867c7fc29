// Uses the store at a url, closes it, and has nothing more to do. `slowly`: says so, and lets the server be frozen before it closes.
import { setTimeout as sleep } from 'node:timers/promises';
import { createStore } from '../src/index.js';

const [url = '', slowly] = process.argv.slice(2);
const store = createStore(url, { timeout: 5_000 });
await store.putIfAbsent('used', 'value');
if (slowly) {
  console.log('used');
  await sleep(300);
}
await store.close().catch(() => {}); // whether the server has heard of it or not
console.log('closed');
