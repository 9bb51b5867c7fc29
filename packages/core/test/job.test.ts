import { inspect } from 'node:util';
import test from 'ava';
import { attemptOf, defineJob, Job } from '../src/job.js';
import type { JobContext, OutgoingMessage } from '../src/job.js';
import type { MessageProperties } from '../src/message.js';
import type { PublishOptions } from '../src/options.js';
import { MemoryDelivery } from '../src/testing/index.js';

const resize = defineJob<{ id: string }>('image.resize', { queue: 'images' });

function delivery(properties: MessageProperties = {}): MemoryDelivery {
  return new MemoryDelivery({
    queue: 'images',
    exchange: 'events',
    routingKey: 'image.new',
    content: Buffer.alloc(0),
    properties,
  });
}

class Recorder implements JobContext {
  readonly published: Array<[string, unknown, PublishOptions]> = [];
  readonly sent: OutgoingMessage[] = [];
  async publish(job: { name: string }, payload: unknown, options: PublishOptions): Promise<void> {
    this.published.push([job.name, payload, options]);
  }
  async send(message: OutgoingMessage): Promise<void> {
    this.sent.push(message);
  }
}

function job(properties: MessageProperties = {}, context: JobContext = new Recorder()): Job<{ id: string }> {
  return new Job({ id: '7' }, { type: resize, delivery: delivery(properties), context });
}

test('a job type goes straight to its queue, or by its name to its exchange', (t) => {
  t.deepEqual([resize.exchange, resize.routingKey, resize.codec, resize.queue.name], ['', 'images', 'json', 'images']);
  t.is(defineJob('a.b', { queue: 'q', exchange: 'events' }).routingKey, 'a.b');
  t.is(defineJob('a.b', { queue: 'q', exchange: 'events', routingKey: 'key' }).routingKey, 'key');
});

for (const name of ['', 'x'.repeat(256), undefined, 7]) {
  test(`${String(name).slice(0, 10)} (${typeof name}) is no name for a job`, (t) => {
    t.throws(() => defineJob(name as string, { queue: 'q' }), { code: 'ERR_INVALID_OPTION' });
  });
}

for (const [value, attempt] of [
  [undefined, 1],
  [1, 1],
  [7, 7],
  [0, 1],
  [-3, 1],
  [2.5, 1],
  [NaN, 1],
  [Infinity, 1],
  [2 ** 53, 1],
  ['3', 1],
  [null, 1],
  [{}, 1],
  [[4], 1],
  [Buffer.from('5'), 1],
  [true, 1],
] as const) {
  test(`an attempt header of ${inspect(value)} means attempt ${attempt}`, (t) => {
    t.is(attemptOf(delivery(value === undefined ? {} : { headers: { 'x-attempt': value } })), attempt);
  });
}

test('a job shows what its producer sent, and hides what came on the way', (t) => {
  const shown = job({
    messageId: 'm1',
    correlationId: 'c1',
    replyTo: 'r1',
    headers: {
      tenant: 'acme',
      'x-attempt': 3,
      'x-original-exchange': 'first',
      'x-original-routing-key': 'first.key',
      'x-error-message': 'boom',
      'x-death': [{}],
      'x-first-death-queue': 'q',
      'x-delivery-count': 2,
      CC: ['a'],
    },
  });
  t.deepEqual(shown.headers, { tenant: 'acme' });
  t.deepEqual([shown.exchange, shown.routingKey], ['first', 'first.key']);
  t.deepEqual([shown.name, shown.messageId, shown.correlationId, shown.replyTo], ['image.resize', 'm1', 'c1', 'r1']);
  t.deepEqual([shown.queue, shown.attempt, shown.redelivered], ['images', 3, false]);
});

test('without headers a job is where it was delivered from; odd headers are not believed', (t) => {
  t.deepEqual([job().exchange, job().routingKey, job().headers], ['events', 'image.new', {}]);
  const hostile = job({ headers: { 'x-original-exchange': 5, 'x-original-routing-key': { a: 1 } } });
  t.deepEqual([hostile.exchange, hostile.routingKey], ['events', 'image.new']);
});

test('the signal aborts once, with the first reason, whether it was looked at before or not', (t) => {
  const [first, second] = [new Error('first'), new Error('second')];
  const seen = job();
  const { signal } = seen;
  t.false(signal.aborted);
  seen.abort(first);
  seen.abort(second);
  t.is(signal.reason, first);
  const unseen = job();
  unseen.abort(first);
  unseen.abort(second);
  t.is(unseen.signal.reason, first);
});

test('a follow-up job carries the correlation id, or the message id where there is none', async (t) => {
  const context = new Recorder();
  await job({ messageId: 'm1', correlationId: 'c1' }, context).publish(resize, { id: '8' });
  await job({ messageId: 'm1' }, context).publish(resize, { id: '8' }, { priority: 2 });
  await job({ messageId: 'm1' }, context).publish(resize, { id: '8' }, { correlationId: 'mine' });
  await job({}, context).publish(resize, { id: '8' });
  t.deepEqual(
    context.published.map(([, , options]) => options),
    [{ correlationId: 'c1' }, { correlationId: 'm1', priority: 2 }, { correlationId: 'mine' }, {}],
  );
  await job({}, context).send({ exchange: '', routingKey: 'q', content: 'x' });
  t.is(context.sent.length, 1);
});
