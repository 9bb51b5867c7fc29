// worker publish: one message or many, raw or as a job.
import type { MessageProperties, PublishOptions, Worker } from '@warren/core';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { print, printJson } from '../output.js';
import type { OutputFlags } from '../output.js';
import { loadProjectConfig } from '../project/config.js';
import { producerOf } from '../project/producer.js';
import { jobOf, loadProject } from '../project/project.js';
import type { Project } from '../project/project.js';
import type { ProjectFlags } from '../project/sources.js';
import { openLines, readBody } from './body.js';
import { publishMany } from './many.js';
import { messageOptions } from './options.js';
import type { MessageFlags } from './options.js';
import { intervalOf } from './rate.js';
import { jobTarget, rawTarget } from './target.js';
import type { Target } from './target.js';

export interface PublishFlags extends ProjectFlags, OutputFlags, MessageFlags {
  /** With --job the first argument is the payload. */
  readonly exchange?: string | undefined;
  readonly 'routing-key'?: string | undefined;
  readonly body?: string | undefined;
  readonly job?: string | undefined;
  readonly 'content-type'?: string | undefined;
  readonly 'message-id'?: string | undefined;
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
  await using worker = producerOf(project);
  const target = targetOf(flags, project, worker);
  if (!flags.ndjson) {
    const content = await readBody(body, config.cwd);
    await worker.start();
    return await publishOne(target, content, flags);
  }
  const source = await openLines(body, config.cwd);
  await worker.start();
  return await publishMany(target, { source, interval, flags, maxLineBytes: project.options.maxPayloadBytes });
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
  return jobTarget(worker, jobOf(project, name), options);
}

function propertiesOf(flags: PublishFlags): MessageProperties {
  const contentType = flags['content-type'] ?? (flags.ndjson ? 'application/json' : undefined);
  return contentType === undefined ? {} : { contentType };
}

function publishOptions(flags: PublishFlags): PublishOptions {
  const { mandatory } = flags;
  return {
    ...messageOptions(flags),
    ...(flags['message-id'] !== undefined && { messageId: flags['message-id'] }),
    ...(mandatory !== undefined && { mandatory }),
  };
}

async function publishOne(target: Target, content: Buffer, { json }: PublishFlags): Promise<number> {
  const messageId = await target.publish(content);
  if (json) printJson({ messageId });
  else print(messageId);
  return EXIT.done;
}
