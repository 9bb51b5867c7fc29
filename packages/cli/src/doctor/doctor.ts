// worker doctor: looks at everything that a start depends on, and changes nothing.
import { styleText } from 'node:util';
import { redactUrl, WorkerError } from '@warren/core';
import { connectTo } from '../broker/session.js';
import type { Broker } from '../broker/broker.js';
import { describe, EXIT } from '../exit.js';
import { print, printableLines, printJson } from '../output.js';
import type { OutputFlags } from '../output.js';
import { loadProjectConfig } from '../project/config.js';
import { loadProject } from '../project/project.js';
import type { Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';
import {
  checkNode,
  checkPrefetch,
  checkStore,
  checkTimeouts,
  checkTopology,
  checkUnroutable,
  consumerTimeoutOf,
  ok,
  problem,
} from './checks.js';
import type { Finding } from './checks.js';

export interface DoctorFlags extends ProjectFlags, OutputFlags {
  readonly 'consumer-timeout'?: string | undefined;
}

const MARKS = { ok: '✔', warning: '⚠', problem: '✖' } as const;
const COLORS = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

export async function doctor(flags: DoctorFlags): Promise<number> {
  const consumerTimeout = consumerTimeoutOf(flags['consumer-timeout']);
  const findings = [checkNode(process.versions.node), ...(await examine(flags, consumerTimeout))];
  const problems = findings.filter(({ status }) => status === 'problem').length;
  const warnings = findings.filter(({ status }) => status === 'warning').length;
  if (flags.json) printJson({ findings, problems, warnings });
  else {
    for (const { check, status, detail } of findings)
      print(`${styleText(COLORS[status], MARKS[status])} ${check.padEnd(9)} ${printableLines(detail)}`);
    if (!flags.quiet) print(`${problems} problems, ${warnings} warnings`);
  }
  return problems > 0 ? EXIT.failed : EXIT.done;
}

async function examine(flags: DoctorFlags, consumerTimeout: number): Promise<Finding[]> {
  const loaded = await attempt('config', () => load(flags));
  if ('finding' in loaded) return [loaded.finding];
  await using project = loaded.value.project;
  const findings = [...loaded.value.findings, ...(await examineStore(project))];
  const connected = await attempt('broker', () => connectTo(project));
  if ('finding' in connected)
    return [
      ...findings,
      withAdvice(connected.finding, project),
      ...checkTimeouts(project.definitions, undefined, consumerTimeout),
    ];
  await using broker = connected.value;
  const { version } = broker.capabilities;
  const unsafe = checkTimeouts(project.definitions, broker, consumerTimeout);
  return [
    ...findings,
    ok('broker', `${redactUrl(broker.url)} (${version})`),
    ...unsafe,
    ...(await examineBroker(broker, project)),
  ];
}

function withAdvice(finding: Finding, { config }: Project): Finding {
  if (config.origins.url !== 'default') return finding;
  const advice = 'No address is configured: worker start would start an embedded broker there; worker broker runs one.';
  return { ...finding, detail: `${finding.detail} ${advice}` };
}

async function examineStore(project: Project): Promise<Finding[]> {
  const store = await attempt('store', () => checkStore(project));
  return 'finding' in store ? [store.finding] : store.value;
}

async function examineBroker(broker: Broker, project: Project): Promise<Finding[]> {
  const topology = await attempt('topology', () => checkTopology(broker, project));
  const delays = await attempt('delays', () => checkUnroutable(broker, project));
  const results = [topology, delays].flatMap((result) => ('finding' in result ? [result.finding] : result.value));
  return [...results, ...checkPrefetch(project, broker)];
}

async function load(flags: DoctorFlags): Promise<{ project: Project; findings: Finding[] }> {
  const config = await loadProjectConfig(flags);
  const project = await loadProject(config, { handlers: 'optional' });
  const names = project.plugins.map(({ plugin }) => plugin.name).join(', ') || 'none';
  const findings = [
    ok('config', config.file ?? 'no file'),
    ok('plugins', names),
    ok('handlers', `${project.definitions.length} jobs`),
  ];
  return { project, findings };
}

/** The value, or the problem that kept it from being found. A bug is no finding. */
async function attempt<T>(check: string, find: () => Promise<T>): Promise<{ value: T } | { finding: Finding }> {
  try {
    return { value: await find() };
  } catch (error) {
    if (error instanceof WorkerError) return { finding: problem(check, describe(error)) };
    throw error;
  }
}
