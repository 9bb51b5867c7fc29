import test from 'ava';
import * as fc from 'fast-check';
import { encodeProperties, inspectProperties, readProperties } from '../../src/amqp/properties.js';
import { properties } from './_arbitraries.js';

test('Properties are read as they were written.', (t) => {
  fc.assert(fc.property(properties, (given) => void t.deepEqual(readProperties(encodeProperties(given)) as object, given)));
  t.pass();
});

test('Inspecting finds what matters to the broker behind whatever else there is.', (t) => {
  fc.assert(
    fc.property(properties, (given) => {
      const { headers, deliveryMode, priority, replyTo, expiration, userId } = given;
      const wanted = Object.entries({ headers, deliveryMode, priority, replyTo, expiration, userId }).filter(
        ([, value]) => value !== undefined,
      );
      t.deepEqual(inspectProperties(encodeProperties(given)) as object, Object.fromEntries(wanted));
    }),
  );
  t.pass();
});
