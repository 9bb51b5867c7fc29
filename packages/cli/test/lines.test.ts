import { Readable } from 'node:stream';
import test from 'ava';
import { array, assert, asyncProperty, integer, string } from 'fast-check';
import { linesOf } from '../src/publish/lines.js';

async function collect(chunks: readonly Buffer[], maxBytes = 1_000): Promise<Array<string | undefined>> {
  const found: Array<string | undefined> = [];
  for await (const { bytes } of linesOf(Readable.from(chunks), maxBytes)) found.push(bytes?.toString());
  return found;
}

test('lines come out as they went in, wherever the chunks are cut', async (t) => {
  const line = string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  await assert(
    asyncProperty(array(line), integer({ min: 1, max: 7 }), async (lines, size) => {
      const whole = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      );
      const found = await collect(chunks);
      return JSON.stringify(found) === JSON.stringify(lines);
    }),
  );
  t.pass();
});

test('the last line may lack its end, and lines may end as on Windows', async (t) => {
  t.deepEqual(await collect([Buffer.from('a\r\nb\n\nc')]), ['a', 'b', '', 'c']);
});

test('a line above the limit is told, not kept, and the next one is whole', async (t) => {
  const found = await collect([Buffer.from('123'), Buffer.from('456'), Buffer.from('789\nabc\n12345\n123456\n')], 5);
  t.deepEqual(found, [undefined, 'abc', '12345', undefined]);
});
