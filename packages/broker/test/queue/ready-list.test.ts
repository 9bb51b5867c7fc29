import test from 'ava';
import * as fc from 'fast-check';
import type { Message } from '../../src/queue/message.js';
import { ReadyList, type QueuedMessage } from '../../src/queue/ready-list.js';

function queued(sequence: number): QueuedMessage {
  return { message: {} as Message, sequence, expiresAt: Infinity, stored: false, redelivered: false, acquired: 0, deliveries: 0 };
}

test('Whatever is put in and taken out, the rest stays in order of the sequence numbers.', (t) => {
  const operations = fc.array(fc.oneof(fc.constant('shift' as const), fc.nat(1000)), { maxLength: 200 });
  fc.assert(
    fc.property(operations, (operations) => {
      const list = new ReadyList();
      let model: number[] = [];
      for (const operation of operations) {
        if (operation === 'shift') {
          t.is(list.shift()?.sequence, model.shift());
        } else if (!model.includes(operation)) {
          list.insert(queued(operation));
          model = [...model, operation].toSorted((a, b) => a - b);
        }
        t.is(list.size, model.length);
        t.is(list.first()?.sequence, model[0]);
      }
      t.deepEqual(
        model.map((_, i) => list.at(i).sequence),
        model,
      );
    }),
  );
  t.pass();
});
