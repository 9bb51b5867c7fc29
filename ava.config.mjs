const packages = ['broker', 'core', 'plugin-delay', 'plugin-ratelimit', 'cli'].map((name) => `packages/${name}`);
const tested = [...packages, 'tools/rabbitmq-node'];

export default {
  files: [...tested.map((path) => `${path}/test/**/*.test.ts`), 'examples/**/*.test.ts'],
  timeout: '120s',
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
