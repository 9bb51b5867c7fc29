// Writes 60 MB to a store that has no room for it, goes on where that fails, says why it did, and what it still reads of the first.
import { createStore } from '../src/index.js';

const [url = ''] = process.argv.slice(2);
const store = createStore(url, { timeout: '30s' });
const value = 'x'.repeat(200_000);
const reasons = new Set<string>();

for (let round = 0; round < 100; round++) {
  const written = await Promise.allSettled([1, 2, 3].map((caller) => store.putIfAbsent(`${round} by ${caller}`, value)));
  for (const { reason } of written.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[])
    reasons.add(`${(reason as { code?: string }).code}: ${(reason as Error).message}`);
}
const kept = (await store.get('0 by 1'))?.value === value;
await store.close();
console.log(JSON.stringify({ reasons: [...reasons], kept }));
