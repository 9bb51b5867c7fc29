// What the commands for tasks begin with: a worker that publishes and runs nothing, and its tasks.
import type { Worker } from '@warren/core';
import { TASKS } from '@warren/plugin-tasks';
import type { Tasks } from '@warren/plugin-tasks';
import type { OutputFlags } from '../output.js';
import { loadProjectConfig } from '../project/config.js';
import { producerOf } from '../project/producer.js';
import { loadProject } from '../project/project.js';
import type { LoadOptions, Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';

export interface TaskSessionFlags extends ProjectFlags, OutputFlags {}

export interface TaskSession extends AsyncDisposable {
  readonly project: Project;
  readonly worker: Worker;
  readonly tasks: Tasks;
}

/** Plugin-tasks need not be named, nor plugin-delay. */
const NEEDS = ['delay', 'tasks'];

/** The project, for what has to be right before anything is connected. */
export async function loadTasks(flags: TaskSessionFlags, handlers: LoadOptions['handlers']): Promise<Project> {
  return loadProject(await loadProjectConfig(flags), { handlers, needs: NEEDS });
}

/** Connects to the broker and the store. */
export async function openTasks(project: Project): Promise<TaskSession> {
  const worker = producerOf(project);
  const close = async (): Promise<void> => {
    await worker.stop();
    await project[Symbol.asyncDispose]();
  };
  try {
    await worker.start();
    return { project, worker, tasks: worker.resolve(TASKS), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
