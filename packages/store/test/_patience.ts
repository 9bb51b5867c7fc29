import { setTimeout as sleep } from 'node:timers/promises';

/** The first answer of what is down, or busy, and comes back. AVA's timeout ends a wait in vain. */
export async function answer<R>(ask: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(20);
    }
  }
}
