import type { Delivery } from './deliveries.js';

/** Publishes and settlements of a channel in tx mode, which take effect at tx.commit (specification, class tx). */
export class Transaction {
  #publishes: Array<() => void> = [];
  #settlements: Array<{ readonly deliveries: readonly Delivery[]; readonly apply: () => void }> = [];

  publish(apply: () => void): void {
    this.#publishes.push(apply);
  }

  settle(deliveries: readonly Delivery[], apply: () => void): void {
    this.#settlements.push({ deliveries, apply });
  }

  commit(): void {
    const work = [...this.#publishes, ...this.#settlements.map(({ apply }) => apply)];
    this.rollback();
    for (const apply of work) apply();
  }

  /** Forgets everything and returns the deliveries that are unsettled again. */
  rollback(): Delivery[] {
    const deliveries = this.#settlements.flatMap(({ deliveries }) => deliveries);
    this.#publishes = [];
    this.#settlements = [];
    return deliveries;
  }
}
