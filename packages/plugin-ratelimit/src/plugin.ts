import { CLOCK, CONNECTION, EVENTS, LOGGER, PUBLISHER, registerDefault, STOPPING, token } from '@warren/core';
import type { Consume, DependencyContainer, HandlerInfo, Plugin, Token } from '@warren/core';
import { provideStore } from '@warren/store';
import type { ProvidedStore } from '@warren/store';
import { HandlerLimit, UNLIMITED } from './handler-limit.js';
import type { Rule } from './handler-limit.js';
import { limitOf } from './limit.js';
import type { RateLimit } from './limit.js';
import { LIMITER } from './limiter.js';
import { LocalLimiter } from './local-limiter.js';
import { settingsOf } from './options.js';
import type { RateLimitPluginOptions, RateLimitSettings } from './options.js';
import { Prefetch } from './prefetch.js';
import { RATE_LIMIT, RuleBook } from './rate-limits.js';
import { SlowStart } from './slow-start.js';
import { StoreLimiter } from './store-limiter.js';
import { Throttle } from './throttle.js';

declare module '@warren/core' {
  interface HandlerOptions {
    /** Starts of this handler in any window, `{ max, per?, key? }` or text such as `'200/m'`. */
    rateLimit?: RateLimit;
  }
}

/** What the plugin keeps for one worker. */
interface State {
  readonly prefetch: Prefetch;
  readonly throttle: Throttle;
  readonly rules: RuleBook;
  readonly worker: Rule | undefined;
  readonly slowStarts: SlowStart[];
  /** Where the counts are, unless it is this process. */
  readonly shared: ProvidedStore | undefined;
}

const STATE: Token<State> = token('ratelimit-state');

/** Makes the plugin. `limit` is the worker's own, over all its handlers: text such as `'200/m'`, or options. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export default function rateLimit(limit: string | RateLimitPluginOptions = {}): Plugin {
  return new RateLimitPlugin(settingsOf(limit));
}

class RateLimitPlugin implements Plugin {
  readonly name = 'ratelimit';
  /** Innermost of ours: a start is counted when the handler starts, not when a duplicate is sorted out. */
  readonly after = ['delay', 'tasks', 'idempotency'];
  readonly handlerOptions = ['rateLimit'] as const;
  readonly #settings: RateLimitSettings;

  constructor(settings: RateLimitSettings) {
    this.#settings = settings;
  }

  register(container: DependencyContainer): void {
    const clock = container.resolve(CLOCK);
    const { store: given, maxKeys } = this.#settings;
    const shared = given === undefined ? undefined : provideStore(container, given);
    registerDefault(container, LIMITER, shared ? new StoreLimiter({ ...shared, clock }) : new LocalLimiter({ clock, maxKeys }));
    const state = this.#stateOf(container, shared);
    container.register(STATE, { useValue: state });
    registerDefault(container, RATE_LIMIT, state.rules);
    const events = container.resolve(EVENTS);
    events.on('disconnected', () => state.slowStarts.forEach((slowStart) => slowStart.disconnected()));
    events.on('connected', () => begin(state));
  }

  consume(next: Consume, info: HandlerInfo, container: DependencyContainer): Consume {
    const state = container.resolve(STATE);
    state.prefetch.apply(info);
    const limited = this.#limited(next, info, state);
    if (!this.#settings.slowStart) return limited;
    const [clock, stopping] = [container.resolve(CLOCK), container.resolve(STOPPING)];
    const slowStart = new SlowStart({ ...this.#settings.slowStart, clock, stopping, top: () => atATime(info) }, limited);
    state.slowStarts.push(slowStart);
    return (job) => slowStart.run(job);
  }

  /** Asks the store once: a wrong address is found before the first job. */
  async start(container: DependencyContainer): Promise<void> {
    const state = container.resolve(STATE);
    state.prefetch.check(container.resolve(CONNECTION).capabilities);
    const limiter = container.resolve(LIMITER);
    if (limiter instanceof StoreLimiter) await limiter.check();
    state.throttle.delays = container.resolve(PUBLISHER).knows('delay');
    begin(state);
  }

  async stop(container: DependencyContainer): Promise<void> {
    const { shared } = container.resolve(STATE);
    if (shared?.owned) await shared.store.close();
  }

  /** `next` itself where nothing limits the handler and nothing begins slowly. */
  #limited(next: Consume, { job, options }: HandlerInfo, { throttle, rules, worker }: State): Consume {
    const given = options.rateLimit;
    if (given === undefined && !worker && !this.#settings.slowStart) return next;
    const name = `handler:${job.queue.name}/${job.name}`;
    const unlimited: Rule = { name, limit: UNLIMITED, key: worker?.key };
    const own = given === undefined ? unlimited : ruleOf(name, given, `rateLimit of the handler of job "${job.name}"`);
    if (given !== undefined) rules.add(job.name, own);
    const limit = new HandlerLimit({ own, worker, throttle }, next);
    return given === undefined && !worker ? (current) => limit.runUnlimited(current) : (current) => limit.run(current);
  }

  #stateOf(container: DependencyContainer, shared: ProvidedStore | undefined): State {
    const throttle = new Throttle({
      limiter: container.resolve(LIMITER),
      clock: container.resolve(CLOCK),
      logger: container.resolve(LOGGER),
      stopping: container.resolve(STOPPING),
      maxHold: this.#settings.maxHold,
    });
    const rules = new RuleBook(throttle);
    const worker = this.#settings.worker && ruleOf('worker', this.#settings.worker, 'rateLimit');
    if (worker) rules.add(undefined, worker);
    return { prefetch: new Prefetch(this.#settings.prefetch), throttle, rules, worker, slowStarts: [], shared };
  }
}

function ruleOf(name: string, given: RateLimit, option: string): Rule {
  return { name, limit: limitOf(given, option), key: typeof given === 'object' ? given.key : undefined };
}

/** Connected, or about to consume. */
function begin({ slowStarts, throttle }: State): void {
  for (const slowStart of slowStarts) slowStart.connected();
  throttle.dropLost();
}

/** How many jobs of the handler there can be at a time. */
function atATime({ consumer: { prefetch }, options: { concurrency = Infinity } }: HandlerInfo): number {
  return Math.min(prefetch === 0 ? 65_535 : prefetch, concurrency);
}
