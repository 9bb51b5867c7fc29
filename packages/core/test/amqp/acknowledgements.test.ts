import { setImmediate as turn } from 'node:timers/promises';
import type { Channel, Message } from 'amqplib';
import test from 'ava';
import * as fc from 'fast-check';
import { Acknowledgements } from '../../src/amqp/acknowledgements.js';

type Settled = 'ack' | 'requeue' | 'reject';

/** A channel as RabbitMQ keeps it: it fails on a tag that is not outstanding. */
class ChannelModel {
  readonly outstanding = new Set<number>();
  readonly settled = new Map<number, Settled>();
  readonly writes: string[] = [];
  fault: string | undefined;
  closed = false;

  deliver(tag: number): void {
    this.outstanding.add(tag);
  }

  ack({ fields: { deliveryTag } }: Message, allUpTo = false): void {
    this.#write(`ack ${deliveryTag}${allUpTo ? ' multiple' : ''}`, deliveryTag);
    const tags = allUpTo ? [...this.outstanding].filter((tag) => tag <= deliveryTag) : [deliveryTag];
    for (const tag of tags) this.#settle(tag, 'ack');
  }

  nack({ fields: { deliveryTag } }: Message, allUpTo: boolean, requeue: boolean): void {
    this.#write(`nack ${deliveryTag}`, deliveryTag);
    if (allUpTo || !requeue) this.fault ??= 'nack of more than one, or without requeue';
    this.#settle(deliveryTag, 'requeue');
  }

  reject({ fields: { deliveryTag } }: Message, requeue: boolean): void {
    this.#write(`reject ${deliveryTag}`, deliveryTag);
    if (requeue) this.fault ??= 'reject with requeue';
    this.#settle(deliveryTag, 'reject');
  }

  #write(what: string, tag: number): void {
    if (this.closed) throw new Error('Channel closed');
    this.writes.push(what);
    if (!this.outstanding.has(tag)) this.fault ??= `406 unknown delivery tag ${tag}`;
  }

  #settle(tag: number, how: Settled): void {
    this.outstanding.delete(tag);
    this.settled.set(tag, how);
  }
}

interface Bench {
  readonly model: ChannelModel;
  readonly acknowledgements: Acknowledgements;
  /** What the consumer has finished, and how. */
  readonly finished: Map<number, Settled>;
  last: number;
}

function bench(): Bench {
  const model = new ChannelModel();
  return { model, acknowledgements: new Acknowledgements(model as unknown as Channel), finished: new Map(), last: 0 };
}

function deliver(state: Bench): void {
  state.last++;
  state.model.deliver(state.last);
  state.acknowledgements.delivered(state.last);
}

/** Settles one of the delivered tags, finished ones included: settling twice must do nothing. */
function settle(state: Bench, pick: number, how: Settled): void {
  if (state.last === 0) return;
  const tag = (pick % state.last) + 1;
  if (!state.finished.has(tag)) state.finished.set(tag, how);
  state.acknowledgements[how](tag);
}

type Step = { does: 'deliver' | 'turn' } | { does: 'settle'; pick: number; how: Settled };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('deliver' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('settle' as const),
      pick: fc.nat(),
      how: fc.constantFrom<Settled>('ack', 'ack', 'ack', 'requeue', 'reject'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('turn' as const) }) },
);

async function play(state: Bench, steps: readonly Step[]): Promise<void> {
  for (const each of steps) {
    if (each.does === 'deliver') deliver(state);
    else if (each.does === 'settle') settle(state, each.pick, each.how);
    else await turn();
  }
}

test('whatever order deliveries end in, each is settled once, as it ended, and none that has not', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const state = bench();
      await play(state, steps);
      await turn();
      const { model, finished, last } = state;
      if (model.fault) throw new Error(model.fault);
      for (let tag = 1; tag <= last; tag++) {
        if (model.settled.get(tag) !== finished.get(tag)) throw new Error(`tag ${tag}: ${model.settled.get(tag)}`);
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('once its channel is lost, nothing is written any more', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 40 }), async (before, after) => {
      const state = bench();
      await play(state, before);
      state.acknowledgements.lose();
      const written = state.model.writes.length;
      for (const each of after) {
        if (each.does === 'settle') settle(state, each.pick, each.how);
      }
      state.acknowledgements.flush();
      await turn();
      if (state.model.writes.length !== written) throw new Error('written after the loss');
      if (!state.acknowledgements.lost) throw new Error('not lost');
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('a finished run is one multiple ack, and stragglers behind it are acknowledged singly', async (t) => {
  const state = bench();
  for (let tag = 1; tag <= 6; tag++) deliver(state);
  for (const tag of [2, 1, 3, 5, 6]) state.acknowledgements.ack(tag);
  t.deepEqual(state.model.writes, [], 'nothing before the end of the turn');
  await turn();
  t.deepEqual(state.model.writes, ['ack 3 multiple', 'ack 5', 'ack 6']);
  state.acknowledgements.ack(4);
  await turn();
  t.is(state.model.writes.length, 4);
  t.is(state.model.outstanding.size, 0);
  t.is(state.model.fault, undefined);
});

test('flush sends what is done at once', (t) => {
  const state = bench();
  deliver(state);
  state.acknowledgements.ack(1);
  state.acknowledgements.flush();
  t.deepEqual(state.model.writes, ['ack 1 multiple']);
});

test('a channel that throws because it has closed counts as lost', async (t) => {
  const state = bench();
  deliver(state);
  deliver(state);
  state.model.closed = true;
  state.acknowledgements.requeue(1);
  t.true(state.acknowledgements.lost);
  state.model.closed = false;
  state.acknowledgements.ack(2);
  await turn();
  t.deepEqual(state.model.writes, []);
});

test('one delivery that runs for long keeps nothing of those that end meanwhile', async (t) => {
  const state = bench();
  deliver(state);
  for (let i = 0; i < 1_000; i++) {
    deliver(state);
    settle(state, state.last - 1, 'ack');
    await turn();
  }
  t.is(state.model.outstanding.size, 1);
  settle(state, 0, 'ack');
  await turn();
  t.is(state.model.writes.at(-1), 'ack 1 multiple');
  t.is(state.model.fault, undefined);
});
