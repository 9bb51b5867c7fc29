import test from 'ava';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { CodecRegistry } from '../src/codec.js';
import { defineJob } from '../src/job.js';
import type { JobType } from '../src/job.js';
import type { MessageProperties } from '../src/message.js';
import { decodePayload, encodePayload } from '../src/payload.js';
import type { Awaitable } from '../src/plugin.js';
import { MemoryDelivery } from '../src/testing/index.js';

const codecs = new CodecRegistry();

/** As the dispatcher calls it: what is thrown and what rejects are one thing to it. */
async function decode(job: JobType, content: Buffer, properties: MessageProperties = {}): Promise<unknown> {
  const delivery = new MemoryDelivery({ queue: 'q', exchange: '', routingKey: 'q', content, properties });
  return decodePayload(job, delivery, { codec: codecs.get(job.codec), maxBytes: 100 });
}

function encode(job: JobType, payload: unknown): Awaitable<Buffer> {
  return encodePayload(job, payload, codecs.get(job.codec));
}

const json: JobType = defineJob('json', { queue: 'q' });
const text: JobType = defineJob('text', { queue: 'q', codec: 'text' });

test('a payload comes back as JSON keeps it', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 1 }), async (payload) => {
      const body = await encode(json, payload);
      if (body.length <= 100) t.deepEqual(await decode(json, body), JSON.parse(JSON.stringify(payload)));
    }),
  );
});

test('a body of the largest size is taken, one byte more is not', async (t) => {
  t.is(await decode(text, Buffer.alloc(100, 'x')), 'x'.repeat(100));
  const error = await t.throwsAsync(decode(text, Buffer.alloc(101, 'x')), { code: 'ERR_PAYLOAD_TOO_LARGE' });
  t.true(error.message.includes('101') && error.message.includes('maxPayloadBytes'), error.message);
});

for (const properties of [
  {},
  { contentType: 'application/json' },
  { contentType: 'Application/JSON; charset=utf-8' },
  { contentType: 'application/vnd.api+json' },
  { contentType: 'text/plain' },
  { contentType: '' },
  { contentEncoding: 'utf-8' },
  { contentEncoding: 'UTF8' },
  { contentEncoding: 'identity' },
  { contentEncoding: '' },
]) {
  test(`JSON that says ${JSON.stringify(properties)} is read`, async (t) => {
    t.deepEqual(await decode(json, Buffer.from('{"a":1}'), properties), { a: 1 });
  });
}

for (const properties of [
  { contentType: 'application/xml' },
  { contentType: 'application/x-msgpack' },
  { contentType: 'x'.repeat(5_000) },
  { contentEncoding: 'gzip' },
  { contentEncoding: 'br' },
  { contentEncoding: 'utf-16' },
]) {
  test(`JSON that says ${JSON.stringify(properties).slice(0, 60)} is not read, and says why in few words`, async (t) => {
    const error = await t.throwsAsync(decode(json, Buffer.from('{}'), properties), { code: 'ERR_PAYLOAD_DECODING' });
    t.true(error.message.length < 300, error.message);
  });
}

test('a decoding error says what the codec found, and keeps it as its cause', async (t) => {
  const error = await t.throwsAsync(decode(json, Buffer.from('{"a":')), { code: 'ERR_PAYLOAD_DECODING' });
  t.true(error.cause instanceof SyntaxError);
  t.true(error.message.includes('"json"'), error.message);
});

test('a schema’s issues are listed by path, and what it gives back is the payload', async (t) => {
  const schema = v.object({ items: v.array(v.object({ price: v.number() })), when: v.optional(v.string(), 'now') });
  const order = defineJob('order', { queue: 'q', schema });
  t.deepEqual(await decode(order, Buffer.from('{"items":[{"price":1}]}')), { items: [{ price: 1 }], when: 'now' });
  const error = await t.throwsAsync(decode(order, Buffer.from('{"items":[{"price":"1"}]}')), { code: 'ERR_PAYLOAD_INVALID' });
  t.true(error.message.includes('items.0.price: '), error.message);
});

test('an asynchronous schema is waited for, on both sides', async (t) => {
  const schema = v.pipeAsync(
    v.string(),
    v.checkAsync(async (value) => Promise.resolve(value.length > 2), 'too short'),
  );
  const named = defineJob('named', { queue: 'q', schema });
  t.is((await encode(named, 'long')).toString(), '"long"');
  await t.throwsAsync(async () => encode(named, 'x'), { code: 'ERR_PAYLOAD_INVALID' });
  await t.throwsAsync(decode(named, Buffer.from('"x"')), { code: 'ERR_PAYLOAD_INVALID' });
});

test('without a schema nothing is waited for', (t) => {
  t.true(Buffer.isBuffer(encode(json, { a: 1 })));
});
