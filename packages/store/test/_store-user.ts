// Uses the store at a url, closes it, and has nothing more to do. `slowly`: says so, and lets the server be frozen before it closes.
import { setTimeout as sleep } from 'node:timers/promises';
import { createStore } from '../src/index.js';
import { answer } from './_patience.js';

const [url = '', slowly] = process.argv.slice(2);
const store = createStore(url, { timeout: 3_000 });
await answer(() => store.get('used')); // on a busy machine loading its client may take as long as a call may
if (slowly) {
  console.log('used');
  await sleep(300);
}
await store.close().catch(() => {}); // whether the server has heard of it or not
console.log('closed');
