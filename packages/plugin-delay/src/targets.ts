import { TopologyMissingError } from '@warren/core';
import type { Connection, Topology } from '@warren/core';
import type { Target } from './address.js';
import { bindTarget, delayTopology } from './delay-topology.js';
import type { DelayOptions } from './options.js';

/** Remembered at most; more are looked at again, which only takes time. */
const MAX_REMEMBERED = 10_000;

/** A key that no message has: its binding asks the broker whether the exchange it leads to is there. */
const NEVER = '~d.~';

export interface TargetsParts {
  readonly connection: Connection;
  readonly topology: Topology;
  readonly options: Required<DelayOptions>;
}

/** The targets that messages can get to: each is bound before the first delayed message for it is published. */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #reached = new Map<string, Promise<void>>();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** Resolves when `target` is there and bound; rejects with a `BrokerError` where it is not there. */
  reach(target: Target): Promise<void> {
    const key = `${target.kind}:${target.name}`;
    const known = this.#reached.get(key);
    if (known) return known;
    const reached = this.#inTurn(() => this.#bind(target));
    if (this.#reached.size >= MAX_REMEMBERED) this.#reached.clear();
    this.#reached.set(key, reached);
    reached.catch(() => this.#reached.delete(key));
    return reached;
  }

  /** Looks at every target again: on a new connection it may be another broker, or a queue that has been made anew. */
  forget(): void {
    this.#reached.clear();
  }

  /** One after the other: what the broker refuses is then the target that is being bound, not another's. */
  #inTurn(bind: () => Promise<void>): Promise<void> {
    const bound = this.#turn.then(bind);
    this.#turn = bound.catch(() => {});
    return bound;
  }

  async #bind(target: Target): Promise<void> {
    const { connection, topology, options } = this.#parts;
    const own = (target.kind === 'queue' ? topology.queues : topology.exchanges).has(target.name);
    if (!own) await this.#requireThere(target);
    bindTarget(topology, target, options);
    try {
      await connection.declare(topology);
    } finally {
      // Somebody else's queue may go: its binding, declared again with ours after an outage, would be refused then.
      if (!own && target.kind === 'queue') this.#withdraw(target);
    }
  }

  async #requireThere({ kind, name }: Target): Promise<void> {
    const { connection, topology } = this.#parts;
    if (kind === 'queue') return void (await connection.depth(name));
    topology.bindExchange(name, this.#deliver, NEVER);
    try {
      await connection.declare(topology);
    } catch (error) {
      if (!(error instanceof TopologyMissingError)) throw error;
      throw new TopologyMissingError({ what: `Exchange "${name}"`, reason: 'nothing can be delayed for it', cause: error });
    } finally {
      this.#withdraw({ kind, name });
    }
  }

  #withdraw({ kind, name }: Target): void {
    const { bindings } = this.#parts.topology;
    for (const [key, { source, destination, destinationType }] of bindings) {
      if (source === this.#deliver && destination === name && destinationType === kind) bindings.delete(key);
    }
  }

  get #deliver(): string {
    return delayTopology(this.#parts.options).deliver;
  }
}
