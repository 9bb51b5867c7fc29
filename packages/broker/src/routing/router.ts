import type { FieldTable } from '../amqp/field-table.js';
import type { Queue } from '../queue/queue.js';
import { Exchange } from './exchange.js';

/** A message on its way: the routing key and those of its CC and BCC headers. */
export interface Routed {
  readonly routingKeys: readonly string[];
  headers(): FieldTable;
}

/** Where names lead. The default exchange has no name and knows every queue by its name (specification 3.1.3.1). */
export interface Names {
  queue(name: string): Queue | undefined;
  exchange(name: string): Exchange | undefined;
}

/**
 * The queues that get a message: each once, however many bindings match. Exchanges bound to exchanges are followed, each once, and
 * so is the alternate exchange of one whose own bindings do not match (https://www.rabbitmq.com/docs/ae).
 */
export function route(names: Names, exchangeName: string, message: Routed): readonly Queue[] {
  if (exchangeName === '') return queuesByName(names, message.routingKeys);
  const exchange = names.exchange(exchangeName);
  if (exchange === undefined) return [];
  const queues = new Set<Queue>();
  const visited = new Set<Exchange>([exchange]);
  // A set grows while it is iterated: exchanges that are found on the way get their turn.
  for (const current of visited) routeFrom(current, { names, message, queues, visited });
  return [...queues];
}

interface Route {
  readonly names: Names;
  readonly message: Routed;
  readonly queues: Set<Queue>;
  readonly visited: Set<Exchange>;
}

function routeFrom(exchange: Exchange, { names, message, queues, visited }: Route): void {
  let matched = false;
  for (const routingKey of message.routingKeys) {
    exchange.match({ routingKey, headers: () => message.headers() }, (destination) => {
      matched = true;
      if (destination instanceof Exchange) visited.add(destination);
      else queues.add(destination as Queue);
    });
  }
  if (matched || exchange.alternate === undefined) return;
  const alternate = names.exchange(exchange.alternate);
  if (alternate !== undefined) visited.add(alternate);
}

function queuesByName(names: Names, keys: readonly string[]): readonly Queue[] {
  if (keys.length > 1) return [...new Set(keys)].flatMap((key) => names.queue(key) ?? []);
  const queue = names.queue(keys[0] as string);
  return queue === undefined ? [] : [queue];
}
