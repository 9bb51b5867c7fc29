// A process that claims the keys that it is told, of the store at a url, and tells whether it got them. It ends with its parent.
import { createStore } from '../src/index.js';

const [url = ''] = process.argv.slice(2);
const store = createStore(url, { timeout: 30_000 });
await store.get('connected');
process.send?.(true);
process.on('message', (key: string) => void claim(key));
process.once('disconnect', () => void store.close());

async function claim(key: string): Promise<void> {
  const version = await store.putIfAbsent(key, String(process.pid));
  process.send?.(version !== undefined);
}
