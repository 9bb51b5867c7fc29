import test from 'ava';
import idempotency from '../src/index.js';
import { handlerSettingsOf, settingsOf } from '../src/options.js';
import type { IdempotencyOptions, IdempotencyPluginOptions } from '../src/options.js';

test('A lease is 30 seconds, a key is kept for a day and a result of 64 KiB, and the plugin fails closed, unless told otherwise.', (t) => {
  t.deepEqual(settingsOf({}), {
    lease: 30_000,
    ttl: 86_400_000,
    transaction: false,
    onStoreError: 'retry',
    maxResultBytes: 65_536,
  });
  t.like(settingsOf({ lease: undefined as never, ttl: '7d', maxResultBytes: 0 }), {
    lease: 30_000,
    ttl: 604_800_000,
    maxResultBytes: 0,
  });
});

const wrong: ReadonlyArray<[unknown, RegExp]> = [
  [{ store: 7 }, /^store: /],
  [{ store: null }, /^store: /],
  [{ lease: 0 }, /^lease: /],
  [{ lease: 'soon' }, /^lease: /],
  [{ ttl: -1 }, /^ttl: /],
  [{ ttl: '4000d' }, /^ttl: .*ten years/],
  [{ maxResultBytes: 1.5 }, /^maxResultBytes: /],
  [{ maxResultBytes: 256 * 1024 }, /^maxResultBytes: .*261120/],
  [{ onStoreError: 'open' }, /^onStoreError: .*'retry' or 'run'/],
  [null, /^idempotency: /],
  ['redis://localhost', /^idempotency: expected an object/],
];

for (const [options, message] of wrong) {
  test(`The options ${JSON.stringify(options)} are refused when the plugin is made.`, (t) => {
    t.throws(() => idempotency(options as IdempotencyPluginOptions), { code: 'ERR_INVALID_OPTION', message });
  });
}

test('An option that there is not is refused, of the plugin and of a handler.', (t) => {
  for (const options of [{ transaction: true }, { leases: 1 }]) {
    t.throws(() => idempotency(options as IdempotencyPluginOptions), { code: 'ERR_UNKNOWN_OPTION', message: /in idempotency/ });
  }
  const given = { store: 'memory:' } as IdempotencyOptions;
  t.throws(() => handlerSettingsOf('pay', given, settingsOf({})), {
    code: 'ERR_UNKNOWN_OPTION',
    message: /"store" in idempotency of/,
  });
});

test('A handler takes the options of the plugin, and changes what it names.', (t) => {
  const plugin = settingsOf({ lease: '10s', onStoreError: 'run' });
  t.is(handlerSettingsOf('pay', undefined, plugin), plugin);
  t.is(handlerSettingsOf('pay', true, plugin), plugin);
  t.is(handlerSettingsOf('pay', false, plugin), undefined);
  t.deepEqual(handlerSettingsOf('pay', { ttl: '1h' }, plugin), { ...plugin, ttl: 3_600_000 });
  t.like(handlerSettingsOf('pay', { transaction: true }, plugin), { transaction: true, onStoreError: 'retry' });
});

const wrongForHandler: ReadonlyArray<[unknown, RegExp]> = [
  [{ lease: 0 }, /handler of job "pay"\.lease/],
  [{ transaction: 'yes' }, /handler of job "pay"\.transaction/],
  [{ transaction: true, onStoreError: 'run' }, /handler of job "pay"\.transaction/],
  ['off', /idempotency of the handler of job "pay"/],
];

for (const [options, message] of wrongForHandler) {
  test(`The handler option idempotency: ${JSON.stringify(options)} is refused.`, (t) => {
    const given = options as IdempotencyOptions;
    t.throws(() => handlerSettingsOf('pay', given, settingsOf({})), { code: 'ERR_INVALID_OPTION', message });
  });
}
