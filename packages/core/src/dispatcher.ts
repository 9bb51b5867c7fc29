// The life of a message: broker → deliver → decode → middleware → handler → Outcome → settle → broker.
//
//   deliver   a delivery arrives from a queue's consumer
//   route     its `type` names the handler; without one it goes to the queue's only handler
//   decode    its body becomes a payload, validated; what cannot be decoded is dead-lettered, for no retry would help
//   chain     plugins' layers around the handler, folded once at start
//   decide    a failure becomes a retry with a delay, or past the last attempt a dead letter
//   settle    the broker is told: settlement.ts
import type { CodecRegistry } from './codec.js';
import { jobSettle, jobStart } from './diagnostics.js';
import { InvalidOutcomeError, JobAbortedError, UnknownJobError } from './errors.js';
import { attemptOf, Job } from './job.js';
import type { JobContext, JobType } from './job.js';
import type { Delivery } from './message.js';
import { failed, isThenable } from './middleware.js';
import { hasOutcomeKind, requeue } from './outcome.js';
import type { Outcome } from './outcome.js';
import { decodePayload } from './payload.js';
import type { Awaitable, Consume } from './plugin.js';
import { decided } from './retry.js';
import type { RetryPolicy } from './retry.js';
import type { Settlement } from './settlement.js';
import type { Queue } from './topology.js';

/** A handler, ready to run. */
export interface Route {
  readonly job: JobType;
  readonly chain: Consume;
  readonly policy: RetryPolicy;
}

export interface DispatcherParts {
  readonly codecs: CodecRegistry;
  readonly settlement: Settlement;
  readonly context: JobContext;
  readonly maxPayloadBytes: number;
  /** For messages that no handler is for. */
  readonly policy: RetryPolicy;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #queues = new Map<string, { queue: Queue; routes: Map<string, Route> }>();
  readonly #running = new Set<Job>();
  #inFlight = 0;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  add(route: Route): void {
    const { queue, name } = route.job;
    const entry = this.#queues.get(queue.name) ?? { queue, routes: new Map<string, Route>() };
    entry.routes.set(name, route);
    this.#queues.set(queue.name, entry);
  }

  /** Runs a delivery's job, settles it, and says how it ended. Never throws, never rejects. */
  deliver(delivery: Delivery): Awaitable<Outcome> {
    this.#inFlight++;
    if (this.#stopped) return this.#settle(delivery, requeue);
    const route = this.#route(delivery);
    const observed = jobStart.hasSubscribers || jobSettle.hasSubscribers;
    const started = observed ? performance.now() : 0;
    let job: Job | undefined;
    const end = (given: Outcome): Awaitable<Outcome> => {
      // Given back at the stop deadline: a copy would make two of it.
      if (job && !this.#running.delete(job)) return this.#settle(delivery, requeue);
      const outcome = this.#decide(delivery, given, route);
      if (observed) jobSettle.publish({ delivery, job, outcome, ms: performance.now() - started });
      return this.#settle(delivery, outcome);
    };
    const begin = (payload: unknown, { job: type, chain }: Route): Awaitable<Outcome> => {
      job = new Job(payload, { type, delivery, context: this.#parts.context });
      this.#running.add(job);
      if (observed) jobStart.publish({ delivery, job });
      return chain(job);
    };
    try {
      if (!route) throw this.#unknown(delivery);
      const payload = this.#decode(delivery, route.job);
      const outcome = isThenable(payload) ? payload.then((later) => begin(later, route)) : begin(payload, route);
      return isThenable(outcome) ? outcome.then(end, (error: unknown) => end(failed(error))) : end(outcome);
    } catch (error) {
      return end(failed(error));
    }
  }

  /** Takes no more: what is delivered from now on goes back. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when nothing is running or being settled. */
  idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Aborts the signals of running jobs and gives their deliveries back. Returns how many there were. */
  abandon(): number {
    const abandoned = [...this.#running];
    this.#running.clear();
    for (const job of abandoned) {
      job.abort(new JobAbortedError({ job: job.name }));
      job.delivery.requeue();
    }
    return abandoned.length;
  }

  #route({ queue, properties: { type } }: Delivery): Route | undefined {
    const routes = this.#queues.get(queue)?.routes;
    if (type) return routes?.get(type);
    return routes?.size === 1 ? routes.values().next().value : undefined;
  }

  #unknown({ queue, properties: { type } }: Delivery): UnknownJobError {
    return new UnknownJobError({ type, queue, known: [...(this.#queues.get(queue)?.routes.keys() ?? [])] });
  }

  #decode(delivery: Delivery, job: JobType): Awaitable<unknown> {
    const { codecs, maxPayloadBytes } = this.#parts;
    return decodePayload(job, delivery, { codec: codecs.get(job.codec), maxBytes: maxPayloadBytes });
  }

  /** A failure becomes a retry with its wait, or past the last attempt a dead letter. */
  #decide(delivery: Delivery, given: Outcome, route: Route | undefined): Outcome {
    const outcome = hasOutcomeKind(given) ? given : failed(new InvalidOutcomeError({ queue: delivery.queue, got: given }));
    return outcome.kind === 'retry' ? decided(outcome, attemptOf(delivery), route?.policy ?? this.#parts.policy) : outcome;
  }

  #settle(delivery: Delivery, outcome: Outcome): Awaitable<Outcome> {
    const entry = this.#queues.get(delivery.queue);
    const settling = entry && this.#parts.settlement.settle(delivery, outcome, entry.queue);
    return isThenable(settling) ? settling.then(() => this.#ended(outcome)) : this.#ended(outcome);
  }

  #ended(outcome: Outcome): Outcome {
    if (--this.#inFlight === 0) this.#onIdle?.();
    return outcome;
  }
}
