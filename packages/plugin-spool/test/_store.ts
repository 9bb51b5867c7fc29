import { VirtualClock } from '@warren/core/testing';
import { createStore } from '@warren/store';
import type { Store } from '@warren/store';

/** A store in memory whose records grow old as the test says. */
export function ageing(): { store: Store; grow: (ms: number) => Promise<void> } {
  const clock = new VirtualClock();
  return { store: createStore('memory:', { clock }), grow: (ms) => clock.advance(ms) };
}

export async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('spool/')) keys.push(key);
  return keys;
}
