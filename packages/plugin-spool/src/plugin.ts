import { CLOCK, CONNECTION, EVENTS, LOGGER, PLUGINS, requireOptions, STOPPING, token } from '@warren/core';
import type { DependencyContainer, Message, Plugin, Publish, Token } from '@warren/core';
import { provideStore, requireStore } from '@warren/store';
import type { ProvidedStore, Store } from '@warren/store';
import { KeptQueues } from './kept-queues.js';
import { Resending } from './resending.js';
import { Spool } from './spool.js';
import { SpoolRecords } from './spool-records.js';

export interface SpoolOptions {
  /** Where messages are kept: its own for each producer. A URL as `createStore` takes it, or a store. Default `lmdb:.warren/spool`. */
  store?: string | Store;
}

const DEFAULT_STORE = 'lmdb:.warren/spool';

/**
 * Keeps what is published until it is confirmed, or its publisher has been told that it is not: what a crash leaves is sent at the
 * next start, under its message id. Throws `ERR_INVALID_OPTION`.
 */
export default function spool(options: SpoolOptions = {}): Plugin {
  return new SpoolPlugin(storeOf(options));
}

/** What the plugin keeps for one worker. */
interface State extends ProvidedStore {
  readonly spool: Spool;
  readonly resending: Resending;
}

const STATE: Token<State> = token('spool-state');

class SpoolPlugin implements Plugin {
  readonly name = 'spool';
  readonly #given: string | Store;

  constructor(given: string | Store) {
    this.#given = given;
  }

  publish(next: Publish, container: DependencyContainer): Publish {
    const provided = provideStore(container, this.#given);
    const records = new SpoolRecords(provided.store);
    const [clock, logger, stopping] = [container.resolve(CLOCK), container.resolve(LOGGER), container.resolve(STOPPING)];
    const spool = new Spool({ records, next, clock, logger });
    const connection = container.resolve(CONNECTION);
    const queues = new KeptQueues({ connection, logger });
    const options = container.resolve(PLUGINS).publishOptions;
    const resending = new Resending({ spool, records, next, queues, connection, options, clock, logger, stopping });
    container.register(STATE, { useValue: { ...provided, spool, resending } });
    return (message) => (isKept(message) ? spool.publish(message) : next(message));
  }

  /** Before anything new can be published, for its order. A store that cannot be used fails the start. */
  async start(container: DependencyContainer): Promise<void> {
    const { resending } = container.resolve(STATE);
    container.resolve(EVENTS).on('connected', () => void resending.resume());
    await resending.start();
  }

  async stop(container: DependencyContainer): Promise<void> {
    const { spool, store, owned } = container.resolve(STATE);
    await spool.close();
    if (owned) await store.close();
  }
}

/** What settling publishes is left out: its original is unacknowledged, and would come again beside it. Transient messages may be lost. */
function isKept({ copyOf, properties }: Message): boolean {
  return copyOf === undefined && properties.persistent !== false;
}

function storeOf(options: SpoolOptions): string | Store {
  requireOptions(options, 'spool', ['store']);
  const { store = DEFAULT_STORE } = options;
  requireStore(store);
  return store;
}
