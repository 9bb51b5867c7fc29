import test from 'ava';
import * as fc from 'fast-check';
import { CodecRegistry } from '../src/codec.js';
import type { Codec } from '../src/codec.js';

const codecs = new CodecRegistry();
const [json, text, bytes] = [codecs.get('json'), codecs.get('text'), codecs.get('bytes')];

test('every JSON value comes back as JSON keeps it', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.deepEqual(json.decode(json.encode(value)), JSON.parse(JSON.stringify(value)) as unknown);
    }),
  );
});

test('every well-formed text comes back as it was sent, a byte order mark too', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => text.decode(text.encode(value)) === value));
  for (const value of ['你好，世界', '\uFEFFmark', '', 'a\0b', '👩‍💻']) t.is(text.decode(text.encode(value)), value);
});

test('bytes come back as they were sent, also from a view into a larger buffer', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      (value) => Buffer.compare(bytes.decode(bytes.encode(value)) as Buffer, Buffer.from(value)) === 0,
    ),
  );
  t.deepEqual(bytes.encode(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), Buffer.from([2, 3]));
});

test('bytes that are no UTF-8 are refused, not replaced', (t) => {
  for (const content of [Buffer.from([0xff, 0xfe]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80])]) {
    t.throws(() => text.decode(content));
    t.throws(() => json.decode(content));
  }
});

const unencodable: ReadonlyArray<readonly [codec: Codec, payload: unknown]> = [
  [json, undefined],
  [json, () => {}],
  [json, 1n],
  [json, Symbol('s')],
  [text, 5],
  [text, Buffer.from('text')],
  [bytes, 'text'],
  [bytes, [1, 2]],
];

test('a payload that a codec has no form for is refused', (t) => {
  for (const [codec, payload] of unencodable) t.throws(() => codec.encode(payload), { instanceOf: TypeError });
});

test('json takes JSON under any of its names, and what producers call plain text or octets', (t) => {
  const types = ['application/json', 'application/problem+json', 'text/plain', 'application/octet-stream'];
  for (const type of types) t.true(json.accepts(type), type);
  for (const type of ['application/xml', 'application/x-protobuf', 'text/html', 'image/png']) t.false(json.accepts(type), type);
});

test('a registered codec is found by its name, and an unknown name is told those that there are', (t) => {
  const registry = new CodecRegistry();
  const upper: Codec = { ...text, encode: (payload) => Buffer.from(String(payload).toUpperCase()) };
  registry.register('upper', upper);
  t.is(registry.get('upper'), upper);
  const error = t.throws(() => registry.get('yaml'), { code: 'ERR_INVALID_OPTION' });
  t.true(error.message.includes('json, text, bytes, upper'), error.message);
  t.throws(() => codecs.get('upper'), { code: 'ERR_INVALID_OPTION' }, 'registries are their own');
});
