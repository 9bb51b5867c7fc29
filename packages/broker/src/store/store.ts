import type { Queue } from '../queue/queue.js';
import type { QueuedMessage } from '../queue/ready-list.js';
import type { Binding } from '../routing/binding.js';
import type { Exchange } from '../routing/exchange.js';

/** Where durable things are kept. Calls take effect together, in order, at the next commit. */
export interface Store {
  addQueue(queue: Queue): void;
  removeQueue(queue: Queue): void;
  addExchange(vhost: string, exchange: Exchange): void;
  removeExchange(vhost: string, exchange: Exchange): void;
  addBinding(vhost: string, binding: Binding): void;
  removeBinding(vhost: string, binding: Binding): void;

  add(queue: Queue, queued: QueuedMessage): void;
  remove(queue: Queue, queued: QueuedMessage): void;
  /** The message came back: its counts are kept. */
  requeued(queue: Queue, queued: QueuedMessage): void;
  /** Everything up to this message may have been delivered before a crash. */
  delivered(queue: Queue, queued: QueuedMessage): void;

  /** Calls back when everything up to now is on disk. */
  committed(callback: () => void): void;
  close(): Promise<void>;
}
