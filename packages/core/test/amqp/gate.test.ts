import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { Gate } from '../../src/amqp/gate.js';

test('a gate is open until it is shut', async (t) => {
  await new Gate().passed;
  t.pass();
});

test('all who wait at a shut gate pass when it opens, however often it was shut', async (t) => {
  const gate = new Gate();
  gate.shut();
  const waited = gate.passed;
  gate.shut();
  let passed = 0;
  const waiting = [waited, gate.passed].map((each) => each.then(() => passed++));
  await turn();
  t.is(passed, 0);
  gate.open();
  await Promise.all(waiting);
  t.is(passed, 2);
});

test('a gate can be shut again, and opening an open one changes nothing', async (t) => {
  const gate = new Gate();
  gate.open();
  gate.shut();
  gate.open();
  gate.shut();
  let passed = false;
  const waiting = gate.passed.then(() => (passed = true));
  await turn();
  t.false(passed);
  gate.open();
  await waiting;
  t.true(passed);
});
