const names = [
  'broker',
  'core',
  'store',
  'plugin-delay',
  'plugin-ratelimit',
  'plugin-idempotency',
  'plugin-tasks',
  'plugin-spool',
  'cli',
];
const tested = [...names.map((name) => `packages/${name}`), 'tools/rabbitmq-node', 'tools/store-servers'];

export default {
  files: [...tested.map((path) => `${path}/test/**/*.test.ts`), 'examples/**/*.test.ts'],
  timeout: '120s',
  // Files at a time: most of them wait for brokers, leases and timers longer than they compute.
  concurrency: 3,
  typescript: {
    compile: false,
    rewritePaths: {
      ...Object.fromEntries(
        tested.flatMap((path) => ['src', 'test'].map((part) => [`${path}/${part}/`, `${path}/dist/${part}/`])),
      ),
      'examples/': 'examples/dist/',
    },
  },
};
