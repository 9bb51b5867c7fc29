import type { Clock } from './clock.js';
import type { Behaviour } from './compat.js';
import type { Memory } from './memory.js';
import type { DeadLetters } from './queue/dead-letters.js';
import type { Store } from './store/store.js';

/** What queues and channels find around them. */
export interface Surroundings {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly behaviour: Behaviour;
  readonly deadLetters: DeadLetters;
  /** Absent when nothing is kept on disk. */
  readonly store: Store | undefined;
}
