import { CLOCK, CONNECTION, LOGGER, PUBLISHER, STOPPING, WorkerStateError } from '@warren/core';
import type { Consume, DependencyContainer, HandlerInfo, Message, Plugin, Publish, Worker } from '@warren/core';
import { provideStore } from '@warren/store';
import type { Store } from '@warren/store';
import { NotATaskError } from './errors.js';
import { ledgerIn } from './ledger.js';
import type { Ledger } from './ledger.js';
import { settingsOf } from './options.js';
import type { TasksOptions, TasksSettings } from './options.js';
import { unrecorded, TaskRunner } from './run.js';
import { schedulesOf } from './schedule/options.js';
import type { Schedule } from './schedule/options.js';
import { Scheduler } from './schedule/scheduler.js';
import { expiry, taskSettingsOf } from './task.js';
import { TASKS, Tasks } from './tasks.js';
import { isDeadLetter } from './undelivered.js';

/** Persistent task queues: records of tasks, unique and cancelled ones, chains, groups, schedules. Throws `ERR_INVALID_OPTION`. */
export default function tasks(options?: TasksOptions): Plugin {
  return new TasksPlugin(settingsOf(options));
}

class TasksPlugin implements Plugin {
  readonly name = 'tasks';
  readonly dependsOn = ['delay'];
  readonly handlerOptions = ['task', 'schedule'] as const;
  readonly publishOptions = ['expiresIn'] as const;
  readonly #settings: TasksSettings;
  readonly #schedules: Schedule[] = [];
  #owned: Store | undefined;
  #scheduler: Scheduler | undefined;

  constructor(settings: TasksSettings) {
    this.#settings = settings;
  }

  extend(worker: Worker): void {
    worker.enqueue = async (...given: Parameters<Tasks['enqueue']>) => tasksOf(worker).enqueue(...given);
    worker.enqueueMany = async (task, payloads, options) => tasksOf(worker).enqueueMany(task, payloads, options);
  }

  register(container: DependencyContainer): void {
    const ledger = this.#settings.records ? this.#openLedger(container) : undefined;
    if (container.isRegistered(TASKS, true)) return;
    let made: Tasks | undefined;
    // Made when it is first asked for: the publisher is registered after the plugins.
    container.register(TASKS, { useFactory: () => (made ??= this.#makeTasks(container, ledger)) });
  }

  consume(next: Consume, info: HandlerInfo, container: DependencyContainer): Consume {
    const { task, schedule } = info.options;
    if (schedule && !task) throw new NotATaskError({ job: info.job.name });
    if (!task) return next;
    taskSettingsOf({ name: info.job.name, handling: { task } });
    if (schedule) this.#schedules.push(...schedulesOf(schedule, { ...info.job, handling: { ...info.job.handling, task } }));
    const { ledger, continuations } = container.resolve(TASKS);
    const [clock, logger] = [container.resolve(CLOCK), container.resolve(LOGGER)];
    if (!ledger || !continuations) return unrecorded(next, clock);
    const { maxResultBytes } = this.#settings;
    const runner = new TaskRunner({ next, info, records: ledger.tasks, continuations, clock, logger, maxResultBytes });
    return (job) => runner.run(job);
  }

  publish(next: Publish, container: DependencyContainer): Publish {
    const clock = container.resolve(CLOCK);
    return (message) => {
      const sent = next(message.options.expiresIn === undefined ? message : withExpiry(message, clock.now()));
      // Resolved here: the tasks need the publisher, which is being made.
      return isDeadLetter(message) ? sent.then(() => container.resolve(TASKS).endUndelivered(message)) : sent;
    };
  }

  /** A store that cannot be used fails the start, not the first task. */
  async start(container: DependencyContainer): Promise<void> {
    const tasks = container.resolve(TASKS);
    const { ledger } = tasks;
    await ledger?.tasks.get('start');
    this.#scheduler = new Scheduler({
      schedules: this.#schedules,
      connection: container.resolve(CONNECTION),
      clock: container.resolve(CLOCK),
      logger: container.resolve(LOGGER),
      stopping: container.resolve(STOPPING),
      records: ledger?.schedules,
      fire: (schedule, tick) => tasks.fire(schedule, tick),
    });
    await this.#scheduler.start();
  }

  async stop(): Promise<void> {
    await this.#scheduler?.stop();
    await this.#owned?.close();
  }

  #openLedger(container: DependencyContainer): Ledger {
    const { store, owned } = provideStore(container, this.#settings.store);
    if (owned) this.#owned = store;
    return ledgerIn(store, { clock: container.resolve(CLOCK), settings: this.#settings });
  }

  #makeTasks(container: DependencyContainer, ledger: Ledger | undefined): Tasks {
    return new Tasks({
      publisher: container.resolve(PUBLISHER),
      connection: container.resolve(CONNECTION),
      clock: container.resolve(CLOCK),
      logger: container.resolve(LOGGER),
      ledger,
      keepUnfinished: this.#settings.keepUnfinished,
    });
  }
}

function withExpiry(message: Message, now: number): Message {
  const { properties, options } = message;
  return { ...message, properties: { ...properties, headers: { ...properties.headers, ...expiry(options, now) } } };
}

function tasksOf(worker: Worker): Tasks {
  if (worker.container.isRegistered(TASKS, true)) return worker.resolve(TASKS);
  throw new WorkerStateError({ action: 'enqueue', state: worker.state, advice: 'Enqueue after start().' });
}
