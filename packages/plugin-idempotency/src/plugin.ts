import { CLOCK, ConfigurationError, LOGGER, PUBLISHER, STOPPING, token } from '@warren/core';
import type { Consume, DependencyContainer, HandlerInfo, JobType, Plugin, Publish, Token } from '@warren/core';
import { isTransactional, provideStore, Records, StoreNotTransactionalError } from '@warren/store';
import type { ProvidedStore, Store, Transaction } from '@warren/store';
import { Absence } from './absence.js';
import { Claims } from './claims.js';
import { Guard } from './guard.js';
import { carryingKey, PREFIX, scopeOf } from './key.js';
import type { KeyFunction } from './key.js';
import { handlerSettingsOf, requireKeyFunction, settingsOf } from './options.js';
import type { IdempotencyOptions, IdempotencyPluginOptions, Settings } from './options.js';
import { Outage } from './outage.js';
import type { KeyRecord } from './record.js';
import { PlainRun } from './run.js';
import type { RunParts } from './run.js';
import { TransactionalRun } from './transactional-run.js';

declare module '@warren/core' {
  interface HandlerOptions {
    /** How the handler's jobs are guarded; `false`: not at all. */
    idempotency?: boolean | IdempotencyOptions;
    /** The idempotency key of a job, in place of the message's. A method, so that it may say which payload it expects: `(job: Job<Order>) => …`. */
    key?(this: void, job: Job): string;
  }
  interface PublishOptions {
    /** Messages with the same key are one job, of 1 to 500 bytes. Default: the message's id. */
    idempotencyKey?: string;
  }
  interface Job<P = unknown> {
    /** What its duplicates share; undefined where the message brings nothing that tells it from others. */
    idempotencyKey: string | undefined;
    /** Greater in each run of a key than in all before: who checks it can refuse a run that has been given up. Undefined without a key. */
    fence: number | undefined;
    /** Of a handler with `idempotency: { transaction: true }`, and of no other: what is done by it is committed together with the key. */
    transaction: Transaction;
  }
}

/** What the plugin keeps for one worker. */
interface State extends ProvidedStore {
  readonly outage: Outage;
  /** How its handlers are guarded; where none is, the store is left alone. */
  readonly guarded: Settings[];
}

const STATE: Token<State> = token('idempotency-state');

/** Makes the plugin: of several messages with one key one runs. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export default function idempotency(options: IdempotencyPluginOptions = {}): Plugin {
  const settings = settingsOf(options);
  return new IdempotencyPlugin(options.store, settings);
}

class IdempotencyPlugin implements Plugin {
  readonly name = 'idempotency';
  readonly after = ['delay', 'tasks'];
  readonly handlerOptions = ['idempotency', 'key'] as const;
  readonly publishOptions = ['idempotencyKey'] as const;
  readonly #given: string | Store | undefined;
  readonly #settings: Settings;

  constructor(given: string | Store | undefined, settings: Settings) {
    this.#given = given;
    this.#settings = settings;
  }

  register(container: DependencyContainer): void {
    const provided = provideStore(container, this.#given);
    container.register(STATE, { useValue: { ...provided, outage: new Outage(container.resolve(LOGGER)), guarded: [] } });
  }

  consume(next: Consume, { job, options }: HandlerInfo, container: DependencyContainer): Consume {
    requireKeyFunction(job.name, options.key);
    const settings = handlerSettingsOf(job.name, options.idempotency, this.#settings);
    if (!settings) return next;
    const state = container.resolve(STATE);
    if (settings.transaction && !isTransactional(state.store)) throw new StoreNotTransactionalError({ job: job.name });
    state.guarded.push(settings);
    const guard = guardOf({ job, key: options.key, settings, next }, container);
    return (current) => guard.run(current);
  }

  publish(next: Publish): Publish {
    return carryingKey(next);
  }

  /** Asks the store once, where a handler needs it: a wrong address is found before the first job. */
  async start(container: DependencyContainer): Promise<void> {
    const { store, outage, guarded } = container.resolve(STATE);
    if (guarded.length === 0) return;
    try {
      await store.get(`${PREFIX}start`);
    } catch (error) {
      const failsClosed = guarded.some(({ onStoreError }) => onStoreError === 'retry');
      if (failsClosed || error instanceof ConfigurationError) throw error;
      outage.failed(error);
    }
  }

  async stop(container: DependencyContainer): Promise<void> {
    const { store, owned } = container.resolve(STATE);
    if (owned) await store.close();
  }
}

/** What a guard is made for. */
interface Guarded {
  readonly job: JobType;
  readonly key: KeyFunction | undefined;
  readonly settings: Settings;
  readonly next: Consume;
}

function guardOf({ job, key, settings, next }: Guarded, container: DependencyContainer): Guard {
  const { store, outage } = container.resolve(STATE);
  const [clock, logger, stopping] = [container.resolve(CLOCK), container.resolve(LOGGER), container.resolve(STOPPING)];
  const absence = new Absence({ clock, stopping, delays: container.resolve(PUBLISHER).knows('delay') });
  const parts: RunParts = { next, settings, absence, logger };
  const run = settings.transaction && isTransactional(store) ? new TransactionalRun(parts, store) : new PlainRun(parts);
  const claims = new Claims({ records: new Records<KeyRecord>(store, PREFIX), clock, settings });
  return new Guard({ claims, run, absence, outage, settings, scope: scopeOf(job), key, logger });
}
