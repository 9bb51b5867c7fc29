import { route, type Names } from '../routing/router.js';
import type { Surroundings } from '../surroundings.js';
import type { Message } from './message.js';
import type { Queue } from './queue.js';
import type { QueuedMessage } from './ready-list.js';
import { deadLetter, deathsOf, isCycle, type DeathReason } from './x-death.js';

// A dead letter that its target refuses is offered again after this time, if its queue promises delivery at least once.
const RETRY_INTERVAL = 1000;

interface Dead {
  readonly queue: Queue;
  readonly message: Message;
  readonly reason: DeathReason;
  /** Its place in the queue it died in; absent if it never got one. */
  readonly queued: QueuedMessage | undefined;
}

/** Passes dead messages on to the dead-letter exchange of their queue (https://www.rabbitmq.com/docs/dlx). */
export class DeadLetters {
  readonly #namesOf: (vhost: string) => Names;
  readonly #around: () => Surroundings;
  #waiting: Dead[] = [];
  #working = false;
  readonly #held = new Map<Queue, Dead[]>();
  #offering = false;

  constructor(namesOf: (vhost: string) => Names, around: () => Surroundings) {
    this.#namesOf = namesOf;
    this.#around = around;
  }

  /** One death may cause the next, in a queue with a limit: they are worked off one by one and not inside each other. */
  add(queue: Queue, message: Message, reason: DeathReason, queued?: QueuedMessage): void {
    this.#waiting.push({ queue, message, reason, queued });
    this.after(() => {});
  }

  /** What dies in the course of this work is passed on when it is done, as the queues of RabbitMQ work apart from publishers. */
  after(work: () => void): void {
    if (this.#working) return work();
    this.#working = true;
    try {
      work();
      // The list grows while it is walked through.
      for (const dead of this.#waiting) this.#pass(dead);
    } finally {
      this.#waiting = [];
      this.#working = false;
    }
    return undefined;
  }

  /** Dead letters of a queue that wait for their target to take them. */
  held(queue: Queue): number {
    return this.#held.get(queue)?.length ?? 0;
  }

  dropHeld(queue: Queue): void {
    for (const dead of this.#held.get(queue) ?? []) this.#finish(dead);
    this.#held.delete(queue);
  }

  #pass(dead: Dead): void {
    const { settings } = dead.queue;
    if (settings.deadLetterExchange === undefined || dead.queue.deleted) return this.#finish(dead);
    const message = this.#letter(dead, settings.deadLetterExchange);
    const targets = this.#targets(dead, message);
    const refused = targets.filter((target) => !target.accepts(message));
    if (settings.deadLettersAtLeastOnce && dead.queued !== undefined && (targets.length === 0 || refused.length > 0)) {
      return this.#hold(dead);
    }
    // The copies come in before the original goes: a crash between the two may double a message and never loses one.
    for (const target of targets) {
      if (refused.includes(target)) target.refuse(message);
      else target.publish(message);
    }
    return this.#finish(dead);
  }

  #letter({ queue, message, reason }: Dead, exchange: string): Message {
    const { clock, behaviour } = this.#around();
    const routingKey = queue.settings.deadLetterRoutingKey;
    return deadLetter(message, { queue: queue.name, reason, time: clock.now(), exchange, routingKey }, behaviour);
  }

  #targets({ queue, reason }: Dead, message: Message): readonly Queue[] {
    const targets = route(this.#namesOf(queue.vhost), message.exchange, message);
    if (reason === 'rejected') return targets;
    const history = deathsOf(message, this.#around().behaviour);
    return targets.filter((target) => !isCycle(target.name, history));
  }

  #finish({ queue, queued }: Dead): void {
    if (queued === undefined) return;
    const { store, memory } = this.#around();
    if (queued.stored) store?.remove(queue, queued);
    queued.message.letGo(memory);
  }

  #hold(dead: Dead): void {
    const held = this.#held.get(dead.queue);
    if (held === undefined) this.#held.set(dead.queue, [dead]);
    else held.push(dead);
    if (this.#offering) return;
    this.#offering = true;
    const { clock } = this.#around();
    clock.at(clock.now() + RETRY_INTERVAL, () => this.#offerAgain());
  }

  #offerAgain(): void {
    this.#offering = false;
    const held = [...this.#held.values()].flat();
    this.#held.clear();
    for (const { queue, message, reason, queued } of held) this.add(queue, message, reason, queued);
  }
}
