import test from 'ava';
import * as fc from 'fast-check';
import { createContainer } from '../src/container.js';
import type { HandlerInfo } from '../src/handler.js';
import { defineJob } from '../src/job.js';
import type { HandlerOptions } from '../src/options.js';
import { ack } from '../src/outcome.js';
import { PluginRegistry } from '../src/plugin-registry.js';
import type { Consume, Plugin } from '../src/plugin.js';
import { never } from '../src/retry.js';
import { Topology } from '../src/topology.js';

const container = createContainer();
const innermost: Consume = () => ack;
const publish = async (): Promise<void> => {};

function info(options: HandlerOptions = {}): HandlerInfo {
  return { job: defineJob('a', { queue: 'q' }), options, policy: never, consumer: { queue: 'q', prefetch: 1 } };
}

function names(plugins: readonly Plugin[]): string[] {
  return new PluginRegistry(plugins).plugins.map(({ name }) => name);
}

/** Plugins p0 … pn, each after some of those with a lower number, given in any order: never a circle. */
const acyclic = fc.array(fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 3 }), { maxLength: 12 }).map((edges) =>
  edges.map((targets, index): Plugin => {
    const earlier = (required: boolean): string[] =>
      index === 0 ? [] : targets.filter(([, kind]) => kind === required).map(([target]) => `p${target % index}`);
    return { name: `p${index}`, dependsOn: earlier(true), after: [...earlier(false), 'absent'] };
  }),
);

test('the order holds every plugin once, and each after those that it comes after', (t) => {
  fc.assert(
    fc.property(
      acyclic.chain((plugins) => fc.shuffledSubarray(plugins, { minLength: plugins.length })),
      (given) => {
        const order = names(given);
        t.deepEqual(order.toSorted(), given.map(({ name }) => name).toSorted());
        for (const { name, dependsOn = [], after = [] } of given) {
          for (const earlier of [...dependsOn, ...after]) t.true(order.indexOf(earlier) < order.indexOf(name));
        }
      },
    ),
  );
});

test('an order that is good already stays as it was given', (t) => {
  fc.assert(
    fc.property(acyclic, (given) =>
      t.deepEqual(
        names(given),
        given.map(({ name }) => name),
      ),
    ),
  );
  t.deepEqual(names([{ name: 'c' }, { name: 'a' }, { name: 'b' }]), ['c', 'a', 'b']);
});

test('what is wrong with plugins is told before anything is connected', (t) => {
  const codes: ReadonlyArray<readonly [plugins: unknown[], code: string, words: string[]]> = [
    [[{ name: 'a' }, { name: 'a' }], 'ERR_PLUGIN_DUPLICATE', ['"a"']],
    [[{ name: 'a', dependsOn: ['b'] }], 'ERR_PLUGIN_MISSING', ['"a"', '"b"']],
    [
      [
        { name: 'a', dependsOn: ['b'] },
        { name: 'b', after: ['a'] },
      ],
      'ERR_PLUGIN_CYCLE',
      ['a → b → a'],
    ],
    [[{ name: 'z' }, { name: 'a', after: ['a'] }], 'ERR_PLUGIN_CYCLE', ['a → a']],
    [[(): Plugin => ({ name: 'a' })], 'ERR_INVALID_OPTION', ['call it']],
    [[{}], 'ERR_INVALID_OPTION', ['a name']],
    [[undefined], 'ERR_INVALID_OPTION', ['a name']],
    [['delay'], 'ERR_INVALID_OPTION', ['a name']],
    [
      [
        { name: 'a', publishOptions: ['delay'] },
        { name: 'b', publishOptions: ['delay'] },
      ],
      'ERR_OPTION_CONFLICT',
      ['"a"', '"b"'],
    ],
    [[{ name: 'a', handlerOptions: ['retry'] }], 'ERR_OPTION_CONFLICT', ['@warren/core', '"a"']],
  ];
  for (const [plugins, code, words] of codes) {
    const error = t.throws(() => new PluginRegistry(plugins as Plugin[]), { code });
    for (const word of words) t.true(error.message.includes(word), error.message);
  }
});

test('an option that no plugin owns fails, and names the plugin that would own it', (t) => {
  const registry = new PluginRegistry([]);
  const fold = (options: object): void => void registry.foldConsume(() => ack, info(options), container);
  const known = t.throws(() => fold({ rateLimit: { max: 1 } }), { code: 'ERR_UNKNOWN_OPTION' });
  t.true(known.message.includes('@warren/plugin-ratelimit'), known.message);
  const unknown = t.throws(() => fold({ retires: 3 }), { code: 'ERR_UNKNOWN_OPTION' });
  t.true(unknown.message.includes('retry') && unknown.message.includes('job "a"'), unknown.message);
  t.notThrows(() => fold({ retry: () => null, concurrency: 1, prefetch: 1, timeout: 1 }));
});

test('an option is known once its plugin is there', (t) => {
  const plugin = { name: 'x', handlerOptions: ['colour'], publishOptions: ['shade'] } as unknown as Plugin;
  const registry = new PluginRegistry([plugin]);
  t.notThrows(() => registry.foldConsume(() => ack, info({ colour: 'red' } as HandlerOptions), container));
  t.true(registry.publishOptions.has('shade'));
  t.true(registry.publishOptions.has('messageId'));
  t.false(registry.publishOptions.has('delay'));
});

test('the first plugin is the outermost layer, in both chains', async (t) => {
  const calls: string[] = [];
  const plugins = ['a', 'b', 'c'].map((name): Plugin => ({
    name,
    consume: (next) => (job) => {
      calls.push(`${name} in`);
      return next(job);
    },
    publish: (next) => async (message) => {
      calls.push(`${name} out`);
      return next(message);
    },
  }));
  const registry = new PluginRegistry(plugins);
  await registry.foldConsume(() => ack, info(), container)({} as never);
  await registry.foldPublish(async () => void calls.push('broker'), container)({} as never);
  t.deepEqual(calls, ['a in', 'b in', 'c in', 'a out', 'b out', 'c out', 'broker']);
});

test('a plugin that returns next, or has no consume, adds no layer', (t) => {
  const registry = new PluginRegistry([{ name: 'a', consume: (next) => next }, { name: 'b' }]);
  t.is(registry.foldConsume(innermost, info(), container), innermost);
  t.is(registry.foldPublish(publish, container), publish);
});

test('hooks run forward, stop runs backward and through to the end, then throws the first error', async (t) => {
  const calls: string[] = [];
  const plugins = ['a', 'b', 'c'].map((name): Plugin => ({
    name,
    register: () => void calls.push(`register ${name}`),
    topology: () => void calls.push(`topology ${name}`),
    start: async () => void calls.push(`start ${name}`),
    stop: async () => {
      calls.push(`stop ${name}`);
      if (name !== 'a') throw new Error(`stop of ${name}`);
    },
  }));
  const registry = new PluginRegistry(plugins);
  registry.register(container);
  registry.topology(new Topology());
  await registry.start(container);
  await t.throwsAsync(registry.stop(container), { message: 'stop of c' });
  t.deepEqual(calls, [
    'register a',
    'register b',
    'register c',
    'topology a',
    'topology b',
    'topology c',
    'start a',
    'start b',
    'start c',
    'stop c',
    'stop b',
    'stop a',
  ]);
});
