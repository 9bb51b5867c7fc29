import test from 'ava';
import * as fc from 'fast-check';
import { Records } from '../src/index.js';
import { memoryStore } from '../src/memory.js';

function store() {
  return memoryStore({ timeout: 1_000 });
}

test('Records are JSON under their prefix.', async (t) => {
  const inner = store();
  const records = new Records<{ state: string }>(inner, 'task/');
  const version = (await records.putIfAbsent('1', { state: 'queued' })) ?? NaN;
  t.is(await records.putIfAbsent('1', { state: 'queued' }), undefined);
  t.like(await inner.get('task/1'), { value: '{"state":"queued"}', version });
  t.like(await records.get('1'), { value: { state: 'queued' }, version });
  const next = (await records.replaceIfVersion('1', version, { value: { state: 'running' } })) ?? NaN;
  t.like(await records.get('1'), { value: { state: 'running' }, version: next });
  t.false(await records.deleteIfVersion('1', version));
  t.true(await records.deleteIfVersion('1', next));
  t.is(await records.get('1'), undefined);
});

test('Records expire when they are told to.', async (t) => {
  const inner = store();
  const records = new Records<number>(inner, 'a/');
  const version = (await records.putIfAbsent('brief', 1, { ttl: 1 })) ?? NaN;
  while (await records.get('brief')) await new Promise(setImmediate);
  t.is(await records.replaceIfVersion('brief', version, { value: 2 }), undefined);
});

test('Only the records under the prefix are listed, by their own keys.', async (t) => {
  const inner = store();
  const [tasks, limits] = [new Records<number>(inner, 'task/'), new Records<number>(inner, 'limit/')];
  for (const key of ['a1', 'a2', 'b1']) await tasks.putIfAbsent(key, 1);
  await limits.putIfAbsent('a3', 2);
  const keys = async (prefix?: string) => {
    const found = [];
    for await (const { key, value } of tasks.list(prefix)) found.push([key, value]);
    return found;
  };
  t.deepEqual(await keys(), [
    ['a1', 1],
    ['a2', 1],
    ['b1', 1],
  ]);
  t.deepEqual(await keys('a'), [
    ['a1', 1],
    ['a2', 1],
  ]);
});

test('A record that is not JSON is an error that names it.', async (t) => {
  const inner = store();
  await inner.putIfAbsent('task/1', '{');
  const records = new Records(inner, 'task/');
  const error = await t.throwsAsync(records.get('1'), { code: 'ERR_STORE_RECORD_CORRUPT' });
  t.regex(error.message, /task\/1/);
  await t.throwsAsync(records.list().next(), { code: 'ERR_STORE_RECORD_CORRUPT' });
});

test('Every JSON value comes back, with characters that stores do not take escaped.', async (t) => {
  const records = new Records<unknown>(store(), 'v/');
  let count = 0;
  const property = fc.asyncProperty(fc.jsonValue(), fc.string({ unit: 'binary' }), async (value, text) => {
    const key = `${count++}`;
    const whole = { value, text, half: '\ud83d', nul: '\0' };
    await records.putIfAbsent(key, whole);
    t.deepEqual((await records.get(key))?.value, JSON.parse(JSON.stringify(whole)));
  });
  await fc.assert(property);
});
