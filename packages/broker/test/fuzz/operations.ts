import * as fc from 'fast-check';

// What the differential fuzzer can do to a broker. Names are small numbers, so that operations meet.

export type Operation =
  | {
      readonly do: 'publish';
      readonly exchange: string;
      readonly key: string;
      readonly priority: number;
      readonly expired: boolean;
      readonly copy: string;
    }
  | { readonly do: 'get'; readonly queue: string; readonly noAck: boolean }
  | { readonly do: 'settle'; readonly which: number; readonly how: 'ack' | 'nack' | 'requeue' | 'reject' | 'reject-requeue' }
  | { readonly do: 'settle-all'; readonly how: 'ack' | 'nack' | 'requeue' }
  | { readonly do: 'consume'; readonly queue: string; readonly noAck: boolean; readonly prefetch: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'bind' | 'unbind'; readonly queue: string; readonly exchange: string; readonly key: string }
  | { readonly do: 'purge' | 'delete' | 'declare'; readonly queue: string }
  | { readonly do: 'recover' | 'reopen' };

export const QUEUES = ['plain', 'short', 'full', 'urgent', 'mortal', 'dead'] as const;
export const EXCHANGES = ['direct', 'topic', 'fanout', 'headers'] as const;

const queue = fc.constantFrom(...QUEUES);
const exchange = fc.constantFrom(...EXCHANGES);
const key = fc.constantFrom('a', 'b', 'a.b', 'a.b.c', '');
const pattern = fc.constantFrom('a', 'a.*', 'a.#', '#', '*.b', '');

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      exchange: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 2, arbitrary: exchange }),
      key: fc.oneof({ weight: 3, arbitrary: queue }, { weight: 2, arbitrary: key }),
      priority: fc.nat(4),
      expired: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      copy: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: queue }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), queue, noAck: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(20),
      how: fc.constantFrom('ack' as const, 'nack' as const, 'requeue' as const, 'reject' as const, 'reject-requeue' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('settle-all' as const),
      how: fc.constantFrom('ack' as const, 'nack' as const, 'requeue' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('consume' as const), queue, noAck: fc.boolean(), prefetch: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('bind' as const), queue, exchange, key: pattern }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unbind' as const), queue, exchange, key: pattern }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('purge' as const, 'delete' as const, 'declare' as const), queue }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('recover' as const, 'reopen' as const) }) },
);
