// What commands that look at a broker share: the project, a connection, and the management API where there is one.
import type { OutputFlags } from '../output.js';
import { loadProjectConfig } from '../project/config.js';
import { CONNECT_TIMEOUT, loadProject, topologyOf } from '../project/project.js';
import type { Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';
import type { Topology } from '@warren/core';
import { Broker } from './broker.js';
import { Management } from './management.js';

export interface SessionFlags extends ProjectFlags, OutputFlags {}

export interface Session extends AsyncDisposable {
  readonly project: Project;
  /** What the project's worker would declare. */
  readonly topology: Topology;
  readonly broker: Broker;
  readonly management: Management | undefined;
}

export async function openSession(flags: SessionFlags): Promise<Session> {
  const config = await loadProjectConfig(flags);
  const project = await loadProject(config, { handlers: 'optional' });
  const broker = await connectTo(project);
  try {
    const management = await Management.find(config.values.managementUrl, broker.url);
    return {
      project,
      topology: topologyOf(project),
      broker,
      management,
      async [Symbol.asyncDispose]() {
        await broker[Symbol.asyncDispose]();
        await project[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
}

/** A connection to the project's broker. */
export async function connectTo({ options }: Project): Promise<Broker> {
  const found = await options.findServers?.();
  const urls = [found ?? options.url ?? []].flat();
  return Broker.connect({ urls, timeout: options.startTimeout ?? CONNECT_TIMEOUT, connect: options.connect });
}
