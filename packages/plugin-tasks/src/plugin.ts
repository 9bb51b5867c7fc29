import { CLOCK, CONNECTION, LOGGER, PUBLISHER, STOPPING, token, WorkerStateError } from '@warren/core';
import type { Consume, DependencyContainer, HandlerInfo, Message, Plugin, Publish, Token, Worker } from '@warren/core';
import { provideStore } from '@warren/store';
import type { ProvidedStore } from '@warren/store';
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

/** Persistent task queues: records of tasks, unique and cancelled ones, chains, groups, schedules. Throws `ERR_INVALID_OPTION` or `ERR_UNKNOWN_OPTION`. */
export default function tasks(options?: TasksOptions): Plugin {
  return new TasksPlugin(settingsOf(options));
}

/** What the plugin keeps for one worker. */
interface State {
  readonly stored: ProvidedStore | undefined;
  readonly schedules: Schedule[];
  scheduler?: Scheduler;
}

const STATE: Token<State> = token('tasks-state');

class TasksPlugin implements Plugin {
  readonly name = 'tasks';
  readonly dependsOn = ['delay'];
  readonly handlerOptions = ['task', 'schedule'] as const;
  readonly publishOptions = ['expiresIn'] as const;
  readonly #settings: TasksSettings;

  constructor(settings: TasksSettings) {
    this.#settings = settings;
  }

  extend(worker: Worker): void {
    worker.enqueue = async (...given: Parameters<Tasks['enqueue']>) => tasksOf(worker).enqueue(...given);
    worker.enqueueMany = async (task, payloads, options) => tasksOf(worker).enqueueMany(task, payloads, options);
  }

  register(container: DependencyContainer): void {
    const stored = this.#settings.records ? provideStore(container, this.#settings.store) : undefined;
    container.register(STATE, { useValue: { stored, schedules: [] } });
    const ledger = stored && ledgerIn(stored.store, { clock: container.resolve(CLOCK), settings: this.#settings });
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
    if (schedule) {
      const scheduled = schedulesOf(schedule, { ...info.job, handling: { ...info.job.handling, task } });
      container.resolve(STATE).schedules.push(...scheduled);
    }
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
    const [tasks, state] = [container.resolve(TASKS), container.resolve(STATE)];
    const { ledger } = tasks;
    await ledger?.tasks.get('start');
    state.scheduler = new Scheduler({
      schedules: state.schedules,
      connection: container.resolve(CONNECTION),
      clock: container.resolve(CLOCK),
      logger: container.resolve(LOGGER),
      stopping: container.resolve(STOPPING),
      records: ledger?.schedules,
      fire: (schedule, tick) => tasks.fire(schedule, tick),
    });
    await state.scheduler.start();
  }

  async stop(container: DependencyContainer): Promise<void> {
    const { scheduler, stored } = container.resolve(STATE);
    await scheduler?.stop();
    if (stored?.owned) await stored.store.close();
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
