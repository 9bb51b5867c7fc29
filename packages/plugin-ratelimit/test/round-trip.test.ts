import test from 'ava';
import { RoundTrip } from '../src/round-trip.js';

test('Before anything is known it is the guess, then what is usual, and more where that varies.', (t) => {
  const [steady, varying] = [new RoundTrip(15), new RoundTrip(15)];
  t.is(steady.bound, 15);
  for (let round = 0; round < 100; round++) {
    steady.took(2);
    varying.took(round % 10 === 0 ? 20 : 2);
  }
  t.true(steady.bound >= 2 && steady.bound < 2.5);
  t.true(varying.bound > steady.bound);
});

test('One that takes long is not held against the others for long.', (t) => {
  const trip = new RoundTrip(15);
  for (let round = 0; round < 20; round++) trip.took(2);
  trip.took(1_000);
  t.true(trip.bound > 1_000);
  for (let round = 0; round < 40; round++) trip.took(2);
  t.true(trip.bound < 15);
});
