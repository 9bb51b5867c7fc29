export default {
  files: ['test/**/*.test.ts'],
  timeout: '60s',
  typescript: { compile: false, rewritePaths: { 'src/': 'dist/src/', 'test/': 'dist/test/' } },
};
