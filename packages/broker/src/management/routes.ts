import type { Broker } from '../broker.js';
import type { Queue } from '../queue/queue.js';
import type { Connection } from '../session/connection.js';
import type { VirtualHost } from '../virtual-host.js';
import { bindingViews, channelView, connectionView, consumerView, exchangeView, queueView } from './views.js';

// The part of RabbitMQ's HTTP API that is served: a line per path (https://www.rabbitmq.com/docs/http-api-reference).

/** A status and, unless it is 204, what goes with it as JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

type Handler = (broker: Broker, parts: readonly string[]) => Answer;

/** Path patterns under /api, where `:` stands for one part. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'GET overview': (broker) => found(overview(broker)),
  'GET vhosts': (broker) => found([...broker.virtualHosts.keys()].map((name) => ({ name }))),
  'GET queues': (broker) => found(queues(broker).map(queueView)),
  'GET queues/:': (broker, [vhost]) => within(broker, vhost, ({ queues }) => found([...queues.values()].map(queueView))),
  'GET queues/:/:': (broker, parts) => withQueue(broker, parts, (queue) => found(queueView(queue))),
  'GET queues/:/:/bindings': (broker, parts) =>
    withQueue(broker, parts, ({ name, vhost }) =>
      found(bindingViews(broker.virtualHost(vhost)).filter((view) => leadsTo(view, name))),
    ),
  'DELETE queues/:/:': (broker, parts) =>
    withQueue(broker, parts, (queue) => done(broker.virtualHost(queue.vhost).deleteQueue(queue))),
  'DELETE queues/:/:/contents': (broker, parts) => withQueue(broker, parts, (queue) => done(queue.purge())),
  'GET exchanges': (broker) => found([...broker.virtualHosts.values()].flatMap(exchanges)),
  'GET exchanges/:': (broker, [vhost]) => within(broker, vhost, (virtualHost) => found(exchanges(virtualHost))),
  'GET bindings': (broker) => found([...broker.virtualHosts.values()].flatMap(bindingViews)),
  'GET bindings/:': (broker, [vhost]) => within(broker, vhost, (virtualHost) => found(bindingViews(virtualHost))),
  'GET connections': (broker) => found(connections(broker).map(connectionView)),
  'DELETE connections/:': (broker, [name]) => closeConnection(broker, name),
  'GET channels': (broker) => found(connections(broker).flatMap(({ channels }) => [...channels].map(channelView))),
  'GET consumers': (broker) => found(queues(broker).flatMap(consumers)),
  'GET consumers/:': (broker, [vhost]) => within(broker, vhost, ({ queues }) => found([...queues.values()].flatMap(consumers))),
};

/** The answer to a request for a path under /api. */
export function answer(broker: Broker, method: string, path: string): Answer {
  const parts = path.split('/').map(decodeURIComponent);
  for (const [route, handler] of Object.entries(ROUTES)) {
    const [verb = '', pattern = ''] = route.split(' ');
    const names = pattern.split('/');
    if (verb !== method || names.length !== parts.length) continue;
    if (names.every((name, i) => name === ':' || name === parts[i]))
      return handler(
        broker,
        parts.filter((_, i) => names[i] === ':'),
      );
  }
  return NOT_FOUND;
}

const NOT_FOUND: Answer = { status: 404, body: { error: 'Object Not Found', reason: 'Not Found' } };

function found(body: unknown): Answer {
  return { status: 200, body };
}

function done(_count: number): Answer {
  return { status: 204 };
}

function within(broker: Broker, name: string | undefined, view: (virtualHost: VirtualHost) => Answer): Answer {
  const virtualHost = broker.virtualHosts.get(name ?? '');
  return virtualHost === undefined ? NOT_FOUND : view(virtualHost);
}

function withQueue(broker: Broker, [vhost, name]: readonly string[], act: (queue: Queue) => Answer): Answer {
  return within(broker, vhost, (virtualHost) => {
    const queue = virtualHost.queue(name ?? '');
    return queue === undefined ? NOT_FOUND : act(queue);
  });
}

function closeConnection(broker: Broker, name: string | undefined): Answer {
  const connection = connections(broker).find((other) => other.name === name);
  connection?.forceClose('Closed via management plugin');
  return connection === undefined ? NOT_FOUND : { status: 204 };
}

function queues(broker: Broker): Queue[] {
  return [...broker.virtualHosts.values()].flatMap((virtualHost) => [...virtualHost.queues.values()]);
}

function consumers({ consumers: all }: Queue): object[] {
  return [...all].map(consumerView);
}

function connections(broker: Broker): Connection[] {
  return [...broker.connections].filter(({ running }) => running);
}

/** The default exchange is listed too, though it is not among the others. */
function exchanges({ name: vhost, exchanges: all }: VirtualHost): object[] {
  const nameless = { name: '', vhost, type: 'direct', durable: true, auto_delete: false, internal: false, arguments: {} };
  return [nameless, ...[...all.values()].map((exchange) => exchangeView(vhost, exchange))];
}

function leadsTo(view: object, queue: string): boolean {
  return 'destination' in view && view.destination === queue && 'destination_type' in view && view.destination_type === 'queue';
}

function overview(broker: Broker): object {
  const all = queues(broker);
  const [ready, unacked] = [sum(all.map((queue) => queue.ready.size)), sum(all.map((queue) => queue.unacked.size))];
  const open = connections(broker);
  return {
    product_name: broker.settings.product,
    product_version: broker.version,
    rabbitmq_version: broker.version,
    management_version: broker.version,
    cluster_name: 'warren@localhost',
    node: 'warren@localhost',
    queue_totals: { messages: ready + unacked, messages_ready: ready, messages_unacknowledged: unacked },
    object_totals: {
      connections: open.length,
      channels: sum(open.map(({ channels }) => channels.size)),
      consumers: sum(all.map(({ consumers }) => consumers.size)),
      queues: all.length,
      exchanges: sum([...broker.virtualHosts.values()].map((virtualHost) => exchanges(virtualHost).length)),
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
