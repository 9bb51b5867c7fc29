import test from 'ava';
import * as fc from 'fast-check';
import { Fifo } from '../../src/amqp/fifo.js';

test('whatever is pushed comes out in its order, once, and what waits can be looked at', (t) => {
  const steps = fc.array(fc.tuple(fc.nat(2_000), fc.nat(2_000)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(fc.integer()), steps, (first, does) => {
      const fifo = new Fifo(first);
      const model = [...first];
      let number = 0;
      for (const [pushes, shifts] of does) {
        for (let i = 0; i < pushes; i++) fifo.push(++number);
        model.push(...Array.from({ length: pushes }, (_, i) => number - pushes + 1 + i));
        for (const expected of model.splice(0, shifts)) if (fifo.shift() !== expected) return false;
        if (JSON.stringify([...fifo]) !== JSON.stringify(model)) return false;
        if (model.length === 0 && fifo.shift() !== undefined) return false;
      }
      return true;
    }),
    { numRuns: 50 },
  );
  t.pass();
});
