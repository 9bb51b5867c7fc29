import test from 'ava';
import type { GetMessage } from 'amqplib';
import { assert, constantFrom, property, string } from 'fast-check';
import { readLetter } from '../src/dead-letters/letter.js';
import type { DeadLetter } from '../src/dead-letters/letter.js';
import { fits, selectionOf } from '../src/dead-letters/selection.js';

function letter(headers: Record<string, unknown>, type = 'mail.send'): DeadLetter {
  return readLetter(
    { properties: { messageId: 'id-1', type, headers }, fields: {}, content: Buffer.from('') } as unknown as GetMessage,
    'mail.dead',
  );
}

const timedOut = letter({
  'x-error-name': 'TimeoutError',
  'x-error-code': 'ERR_JOB_TIMEOUT',
  'x-error-message': 'took 30 s = too long',
  'x-died-at': new Date(Date.now() - 60_000).toISOString(),
  'x-attempt': 5,
  'x-original-queue': 'mail',
  'x-tenant': 'acme',
  'x-size': 12,
});

for (const [where, holds] of [
  [[], true],
  [['error=TimeoutError'], true],
  [['error=timeouterror'], false],
  [['error=Timeout'], false],
  [['error=Timeout*'], true],
  [['reason=TimeoutError'], true],
  [['code=ERR_*'], true],
  [['message=*= too long'], true],
  [['job=mail.*', 'error=*'], true],
  [['job=mail.*', 'error=TypeError'], false],
  [['id=id-1'], true],
  [['queue=mail'], true],
  [['attempts=5', 'replays=0'], true],
  [['headers.x-tenant=acme'], true],
  [['headers.x-size=12'], true],
  [['headers.x-nothing=*'], false],
  [['headers.__proto__=*'], false],
] as const) {
  test(`--where ${where.join(' ') || 'nothing'} ${holds ? 'holds' : 'does not hold'}`, (t) => {
    t.is(selectionOf({ where }).holds(timedOut), holds);
  });
}

for (const [flags, code] of [
  [{ where: ['TimeoutError'] }, 'ERR_USAGE'],
  [{ where: ['=x'] }, 'ERR_USAGE'],
  [{ where: ['colour=red'] }, 'ERR_INVALID_OPTION'],
  [{ where: ['headers.=x'] }, 'ERR_INVALID_OPTION'],
  [{ where: ['constructor=x'] }, 'ERR_INVALID_OPTION'],
  [{ 'older-than': 'yesterday' }, 'ERR_INVALID_OPTION'],
] as const) {
  test(`${JSON.stringify(flags)} is ${code}`, (t) => {
    t.throws(() => selectionOf(flags), { code });
  });
}

test('older than counts from the death, and what nobody has dated is not older than anything', (t) => {
  t.true(selectionOf({ 'older-than': '30s' }).holds(timedOut));
  t.false(selectionOf({ 'older-than': '2m' }).holds(timedOut));
  t.false(selectionOf({ 'older-than': '0' }).holds(letter({})));
  t.is(selectionOf({ where: ['job=a'], 'older-than': '7d' }).text, 'job=a, older than 7d');
});

test('a pattern fits what the same regular expression fits', (t) => {
  const short = string({ unit: constantFrom('a', 'b', '*', '.'), maxLength: 8 });
  assert(
    property(short, short, (pattern, text) => {
      const source = pattern
        .split('*')
        .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`))
        .join('.*');
      return fits(pattern, text) === new RegExp(`^${source}$`, 's').test(text);
    }),
  );
  t.pass();
});

const death = (queue: string, reason: string): object => ({
  queue,
  reason,
  exchange: 'orders',
  'routing-keys': ['order.created'],
  time: { '!': 'timestamp', value: 1_700_000_000 },
});

test('what the broker wrote is read where no worker has written, deaths in the dead-letter queue itself left out', (t) => {
  const read = letter({
    'x-error-name': 'TypeError',
    'x-death': [death('mail.dead', 'expired'), death('mail', 'delivery_limit')],
  });
  t.like(read, { queue: 'mail', reason: 'delivery_limit', error: 'TypeError', exchange: 'orders', routingKey: 'order.created' });
  t.is(read.diedAt?.toISOString(), '2023-11-14T22:13:20.000Z');
});

test('headers that are not what they should be are not read', (t) => {
  const odd = letter({
    'x-error-name': 7,
    'x-died-at': 'soon',
    'x-attempt': -1,
    'x-replay-count': 'many',
    'x-death': [null, 'x', { queue: 5, 'routing-keys': 'a', time: 'now' }],
  });
  t.like(odd, { reason: undefined, queue: undefined, diedAt: undefined, attempts: undefined, replays: 0 });
});
