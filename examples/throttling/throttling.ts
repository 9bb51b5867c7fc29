// Consumer throttling (QoS): a worker gets no more than it can take, and does no more than its upstream can take.
import { createWorker, defineJob } from '@warren/core';
import type { JobType, Worker } from '@warren/core';
import rateLimit from '@warren/plugin-ratelimit';
import type { RateLimitPluginOptions } from '@warren/plugin-ratelimit';

/** As the article declares it: the topic exchange `qosEx`, the queue `qosQueue` bound by `qos.#`, the key `qos.test001`. */
export const qos: JobType<string> = defineJob<string>('qos', {
  queue: { name: 'qosQueue', type: 'classic', deadLetter: false },
  exchange: 'qosEx',
  routingKey: 'qos.test001',
  bindings: [{ exchange: 'qosEx', type: 'topic', pattern: 'qos.#' }],
  codec: 'text',
});

export interface Throttle {
  url: string;
  /**
   * `prefetch` for each consumer, `channelPrefetch` for each channel (`global`), `max` starts `per` window. Default: prefetch 1, as in the
   * article. A slow start is the plugin's default; here everything begins at once.
   */
  limits?: RateLimitPluginOptions;
  /** A message is acknowledged when this has returned, or resolved. */
  consume: (text: string) => unknown;
}

/** Not started. */
export function throttled({ url, limits = { prefetch: 1 }, consume }: Throttle): Worker {
  const worker = createWorker({ url, plugins: [rateLimit({ slowStart: false, ...limits })] });
  return worker.handle(qos, async ({ payload }) => void (await consume(payload)));
}
