// worker start: loads the project, runs its worker until a signal, drains.
import { CONNECTION, DISPATCHER } from '@warren/core';
import type { HandlerDefinition, Logger, Worker } from '@warren/core';
import { localBroker } from '../embedded/local.js';
import type { LocalBroker } from '../embedded/local.js';
import { EXIT, forced } from '../exit.js';
import { loadProjectConfig } from '../project/config.js';
import { loadProject } from '../project/project.js';
import type { Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';
import { version } from '../version.js';
import { JobLog } from './jobs.js';
import { createLog } from './log.js';
import { onStopSignals } from './signals.js';

export interface StartFlags extends ProjectFlags {
  readonly json?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly 'embedded-broker'?: boolean | undefined;
}

/** Milliseconds for telling the broker what is given back, when nobody wants to wait any more. */
const ABANDON_TIME = 500;

/** Resolves to the exit code, when the worker has stopped. */
export async function start(flags: StartFlags): Promise<number> {
  if (flags.watch) return (await import('./watch.js')).watch(flags);
  const config = await loadProjectConfig(flags);
  const log = createLog({ json: flags.json ?? !process.stdout.isTTY, level: config.values.logLevel ?? 'info' });
  await using project = await loadProject(config, { handlers: 'required', logger: log });
  log.info({ version, node: process.versions.node, pid: process.pid }, 'worker');
  await using broker = await localBroker(config, flags['embedded-broker'], log);
  return await new Run(project, broker, log).end();
}

/** One worker's life, from start to exit code. */
class Run {
  readonly #project: Project;
  readonly #broker: LocalBroker;
  readonly #log: Logger;
  readonly #jobs: JobLog;
  readonly #code: Promise<number>;
  #exit: (code: number) => void = () => {};
  #stopping = false;

  constructor(project: Project, broker: LocalBroker, log: Logger) {
    this.#project = project;
    this.#broker = broker;
    this.#log = log;
    this.#jobs = new JobLog(log, {
      delays: project.plugins.some(({ plugin: { publishOptions = [] } }) =>
        publishOptions.some((option: string) => option === 'delay'),
      ),
    });
    this.#code = new Promise((resolve) => (this.#exit = resolve));
  }

  async end(): Promise<number> {
    const { worker } = this.#project;
    worker.on('unblocked', () => this.#log.warn({}, 'unblocked'));
    const offSignals = onStopSignals({ drain: () => void this.#drain(), abandon: (signal) => this.#abandon(signal) });
    // The parent that --watch is.
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    try {
      await this.#start(worker);
      return await this.#code;
    } finally {
      offSignals();
      this.#jobs[Symbol.dispose]();
    }
  }

  async #start(worker: Worker): Promise<void> {
    try {
      await worker.start();
      this.#broker.tellJoined(worker);
      this.#log.info({ plugins: this.#project.plugins.map(({ plugin }) => plugin.name) }, 'plugins');
      this.#log.info({ jobs: this.#project.definitions.map(jobLine) }, 'jobs');
    } catch (error) {
      // A signal during the start ends it: no failure.
      if (!this.#stopping) throw error;
    }
  }

  async #drain(): Promise<void> {
    this.#stopping = true;
    const { worker, shutdownTimeout: deadline } = this.#project;
    const began = performance.now();
    this.#log.info({ running: this.#jobs.running, deadline }, 'draining');
    const { drained, abandoned } = await worker.stop({ deadline });
    const ms = Math.round(performance.now() - began);
    if (drained) this.#log.info({ ms }, 'drained');
    else this.#log.error({ abandoned, ms }, 'abandoned');
    this.#exit(drained ? EXIT.done : EXIT.drainTimedOut);
  }

  #abandon(signal: NodeJS.Signals): void {
    const { worker } = this.#project;
    const abandoned = worker.resolve(DISPATCHER).abandon();
    this.#log.error({ abandoned }, 'abandoned');
    void worker
      .resolve(CONNECTION)
      .close(ABANDON_TIME)
      .finally(() => this.#exit(forced(signal)));
  }
}

function jobLine({ job, options }: HandlerDefinition): object {
  return { name: job.name, queue: job.queue.name, limits: limitsOf(options) };
}

/** The options of a handler that limit it, plugins' among them, as they were written: `timeout 60000`, `task`. */
function limitsOf(options: object): string {
  return Object.entries(options)
    .filter(([name]) => name !== 'retry')
    .map(([name, value]) => {
      if (value === true) return name;
      return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
    })
    .join(', ');
}
