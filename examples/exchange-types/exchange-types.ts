// Every type of exchange, and how each routes: rabbitmq.com/docs/exchanges. Each queue below has the name of what it is bound by.
import { createWorker, defineJob, TOPOLOGY } from '@warren/core';
import type { BindingOptions, Worker } from '@warren/core';

const direct = { exchange: 'logs', type: 'direct', exchangeArguments: { 'alternate-exchange': 'unrouted' } } as const;
const topic = { exchange: 'events', type: 'topic', durable: false } as const;
const fanout = { exchange: 'news', type: 'fanout', autoDelete: true } as const;
const headers = { exchange: 'reports', type: 'headers' } as const;
const internal = { exchange: 'inner', type: 'fanout', internal: true } as const;

/** Queues, and their bindings. */
export const BINDINGS: Readonly<Record<string, readonly BindingOptions[]>> = {
  // A direct exchange compares the whole key; what no binding takes goes to its alternate exchange.
  'logs error': [{ ...direct, pattern: 'error' }],
  'logs error or warning': [
    { ...direct, pattern: 'error' },
    { ...direct, pattern: 'warning' },
  ],
  'unrouted logs': [{ exchange: 'unrouted', type: 'fanout' }],
  // A topic exchange compares word by word: `*` is one word, `#` any number of them, none included.
  'events order.*': [{ ...topic, pattern: 'order.*' }],
  'events order.#': [{ ...topic, pattern: 'order.#' }],
  'events *.paid': [{ ...topic, pattern: '*.paid' }],
  'events #': [{ ...topic, pattern: '#' }],
  // A fanout exchange gives every queue a copy, whatever the key.
  'news one': [fanout],
  'news two': [fanout],
  // A headers exchange compares headers, all or any of them.
  'reports all': [{ ...headers, arguments: { 'x-match': 'all', format: 'pdf', kind: 'invoice' } }],
  'reports any': [{ ...headers, arguments: { 'x-match': 'any', format: 'pdf', kind: 'invoice' } }],
  // An internal exchange is reached through another exchange only.
  'inner queue': [internal],
};

/** Consumes all of these queues; not started. A queue that is temporary goes with its last consumer. */
export function listener(url: string, onMessage: (message: { queue: string; text: string }) => void): Worker {
  const worker = createWorker({ url });
  worker
    .resolve(TOPOLOGY)
    .exchange('outer', 'topic')
    .exchange('inner', 'fanout', { internal: true })
    .bindExchange('inner', 'outer', '#');
  for (const [name, bindings] of Object.entries(BINDINGS)) {
    const job = defineJob<string>(name, { queue: { name, durable: false, autoDelete: true }, bindings, codec: 'text' });
    worker.handle(job, ({ queue, payload }) => onMessage({ queue, text: payload }));
  }
  return worker;
}
