// worker publish: one message or many, raw or as a job.
import { milliseconds, Worker } from '@warren/core';
import type { MessageProperties, PublishOptions } from '@warren/core';
import { UnknownJobNameError, UsageError } from '../errors.js';
import { EXIT, describe } from '../exit.js';
import { print, printJson, say } from '../output.js';
import type { OutputFlags } from '../output.js';
import { showProgress, tell } from '../progress.js';
import { loadProjectConfig } from '../project/config.js';
import { CONNECT_TIMEOUT, loadProject } from '../project/project.js';
import type { Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';
import { openLines, readBody } from './body.js';
import { Bulk } from './bulk.js';
import { progressLine } from './progress.js';
import { intervalOf } from './rate.js';
import { jobTarget, rawTarget } from './target.js';
import type { Target } from './target.js';

export interface PublishFlags extends ProjectFlags, OutputFlags {
  /** With --job the first argument is the payload. */
  readonly exchange?: string | undefined;
  readonly 'routing-key'?: string | undefined;
  readonly body?: string | undefined;
  readonly job?: string | undefined;
  readonly header?: readonly string[] | undefined;
  readonly 'content-type'?: string | undefined;
  readonly 'message-id'?: string | undefined;
  readonly delay?: string | undefined;
  readonly at?: string | undefined;
  readonly mandatory?: boolean | undefined;
  readonly ndjson?: boolean | undefined;
  readonly rate?: string | undefined;
}

export async function publish(flags: PublishFlags): Promise<number> {
  const body = bodyOf(flags);
  const interval = flags.rate === undefined ? undefined : intervalOf(flags.rate);
  const config = await loadProjectConfig(flags);
  const delayed = flags.delay !== undefined || flags.at !== undefined;
  await using project = await loadProject(config, {
    handlers: flags.job === undefined ? 'none' : 'required',
    needs: delayed ? ['delay'] : [],
  });
  await using worker = new Worker({ startTimeout: CONNECT_TIMEOUT, ...project.options });
  const target = targetOf(flags, project, worker);
  if (!flags.ndjson) {
    const content = await readBody(body, config.cwd);
    await worker.start();
    return await publishOne(target, content, flags);
  }
  const source = await openLines(body, config.cwd);
  await worker.start();
  return await publishMany(target, { source, interval, flags, maxLineBytes: project.options.maxPayloadBytes ?? 16 * 2 ** 20 });
}

/** Which of the arguments is the body. */
function bodyOf(flags: PublishFlags): string {
  const { job, exchange, body, ndjson } = flags;
  const routingKey = flags['routing-key'];
  if (flags.rate !== undefined && !ndjson) throw new UsageError('--rate paces the lines of --ndjson: a single message has none.');
  if (job !== undefined) {
    if (routingKey !== undefined)
      throw new UsageError(`With --job there is one argument, the payload: got also "${routingKey}".`);
    if (flags['content-type'] !== undefined)
      throw new UsageError('--content-type is for raw messages: a job has that of its codec.');
    return exchange ?? missingBody(ndjson);
  }
  if (exchange === undefined || routingKey === undefined) {
    throw new UsageError("Give an exchange ('' is the default one) and a routing key, or a job with --job NAME.");
  }
  return body ?? missingBody(ndjson);
}

function missingBody(ndjson: boolean | undefined): string {
  if (ndjson) return '@-';
  throw new UsageError('Give a body: text, @FILE, or - for stdin.');
}

function targetOf(flags: PublishFlags, project: Project, worker: Worker): Target {
  const { job: name, exchange = '', ndjson = false } = flags;
  if (flags['message-id'] !== undefined && ndjson)
    throw new UsageError('--message-id is for one message: every line of --ndjson has its own.');
  const options = publishOptions(flags);
  if (name === undefined) {
    return rawTarget(worker, {
      exchange,
      routingKey: flags['routing-key'] ?? '',
      properties: propertiesOf(flags),
      options,
      json: ndjson,
    });
  }
  const found = project.definitions.find(({ job }) => job.name === name);
  if (!found) throw new UnknownJobNameError({ job: name, known: project.definitions.map(({ job }) => job.name) });
  return jobTarget(worker, found.job, options);
}

function propertiesOf(flags: PublishFlags): MessageProperties {
  const contentType = flags['content-type'] ?? (flags.ndjson ? 'application/json' : undefined);
  return contentType === undefined ? {} : { contentType };
}

function publishOptions(flags: PublishFlags): PublishOptions {
  const { delay, at, mandatory } = flags;
  if (delay !== undefined && at !== undefined) throw new UsageError('Give --delay or --at, not both.');
  return {
    headers: headersOf(flags.header ?? []),
    ...(flags['message-id'] !== undefined && { messageId: flags['message-id'] }),
    ...(mandatory !== undefined && { mandatory }),
    // Options of plugin-delay, which is there because they are.
    ...(delay !== undefined && { delay: milliseconds(/^\d+$/.test(delay) ? Number(delay) : delay, '--delay') }),
    ...(at !== undefined && { at: dateOf(at) }),
  };
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new UsageError(`--at: expected a date such as 2030-01-31T12:00:00Z, got "${text}".`);
  return date;
}

function headersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((header) => {
      const at = header.indexOf('=');
      if (at < 1) throw new UsageError(`--header: expected name=value, got "${header}".`);
      return [header.slice(0, at), header.slice(at + 1)];
    }),
  );
}

async function publishOne(target: Target, content: Buffer, { json }: PublishFlags): Promise<number> {
  const messageId = await target.publish(content);
  if (json) printJson({ messageId });
  else print(messageId);
  return EXIT.done;
}

interface Many extends Pick<ConstructorParameters<typeof Bulk>[0], 'source' | 'interval' | 'maxLineBytes'> {
  readonly flags: PublishFlags;
}

async function publishMany(target: Target, { flags, ...options }: Many): Promise<number> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const bulk = new Bulk({
    ...options,
    target,
    signal: interrupted.signal,
    onInvalid: (line, error) => tell(`line ${line}: ${describe(error)}`),
  });
  {
    using _ = flags.quiet ? undefined : showProgress(() => progressLine(bulk.progress));
    await bulk.run();
  }
  process.off('SIGINT', stop).off('SIGTERM', stop);
  return summarize(bulk, interrupted.signal.aborted, flags);
}

function summarize({ progress }: Bulk, interrupted: boolean, flags: PublishFlags): number {
  const { published, invalid, empty, elapsed, lastLine } = progress;
  const seconds = Math.round(elapsed) / 1_000;
  if (interrupted) say(`worker: interrupted after line ${lastLine}`, flags);
  if (flags.json) printJson({ published, invalid, empty, seconds, lastLine, interrupted });
  else
    print(
      `${published} published, ${invalid} invalid${empty ? `, ${empty} empty lines` : ''}, in ${seconds} s (${Math.round(published / seconds)}/s)`,
    );
  return invalid > 0 || interrupted ? EXIT.failed : EXIT.done;
}
