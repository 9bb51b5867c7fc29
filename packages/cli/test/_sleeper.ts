/** A handler module that waits as many milliseconds as the payload says. */
export function sleeper(queue: string): string {
  return `
    import { defineJob } from '@warren/core';
    const nap = defineJob<{ ms: number }>('nap', { queue: '${queue}' });
    export default (worker) => {
      worker.handle(nap, async ({ payload }) => {
        process.stderr.write('begun');
        await new Promise((resolve) => setTimeout(resolve, payload.ms));
      });
    };`;
}
