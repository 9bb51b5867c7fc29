import test from 'ava';
import * as fc from 'fast-check';
import { Confirms, type ConfirmChannel } from '../../src/session/confirms.js';
import type { Store } from '../../src/store/store.js';

class Recorder implements ConfirmChannel {
  readonly confirmFault = undefined;
  readonly sent: string[] = [];
  ack(number: number, multiple: boolean): void {
    this.sent.push(`ack ${number}${multiple ? '+' : ''}`);
  }
  nack(number: number, multiple: boolean): void {
    this.sent.push(`nack ${number}${multiple ? '+' : ''}`);
  }
  schedule(): void {}
}

class Disk {
  readonly #waiting: Array<() => void> = [];
  committed(callback: () => void): void {
    this.#waiting.push(callback);
  }
  commit(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

test('What was published in one turn is acknowledged with one ack.', (t) => {
  const channel = new Recorder();
  const confirms = new Confirms(channel);
  for (let i = 0; i < 3; i++) confirms.accepted(confirms.next(), undefined);
  confirms.flush();
  t.deepEqual(channel.sent, ['ack 3+']);
});

test('What is being stored is not covered by the ack of what comes after it.', (t) => {
  const [channel, disk] = [new Recorder(), new Disk()];
  const confirms = new Confirms(channel);
  confirms.accepted(confirms.next(), undefined);
  confirms.accepted(confirms.next(), disk as unknown as Store);
  confirms.accepted(confirms.next(), undefined);
  confirms.flush();
  t.deepEqual(channel.sent, ['ack 1+', 'ack 3']);
  disk.commit();
  confirms.flush();
  t.deepEqual(channel.sent, ['ack 1+', 'ack 3', 'ack 2']);
  t.is(confirms.unconfirmed, 0);
});

test('Every number is answered exactly once, and as it was decided.', (t) => {
  type Fate = 'ack' | 'nack' | 'later' | 'flush';
  fc.assert(
    fc.property(fc.array(fc.constantFrom<Fate>('ack', 'nack', 'later', 'flush'), { maxLength: 60 }), (fates) => {
      const answers = new Map<number, string>();
      const open = new Set<number>();
      const answer = (kind: string) => (number: number, multiple: boolean) => {
        for (const one of multiple ? [...open].filter((other) => other <= number) : [number]) {
          open.delete(one);
          answers.set(one, kind);
        }
      };
      const disk = new Disk();
      const confirms = new Confirms({ confirmFault: undefined, ack: answer('ack'), nack: answer('nack'), schedule: () => {} });
      const expected = new Map<number, string>();
      for (const fate of fates) {
        if (fate === 'flush') {
          confirms.flush();
          continue;
        }
        const number = confirms.next();
        open.add(number);
        expected.set(number, fate === 'nack' ? 'nack' : 'ack');
        if (fate === 'nack') confirms.refused(number);
        else confirms.accepted(number, fate === 'later' ? (disk as unknown as Store) : undefined);
      }
      confirms.flush();
      disk.commit();
      confirms.flush();
      t.deepEqual(
        [...answers].toSorted(([a], [b]) => a - b),
        [...expected],
      );
    }),
  );
  t.pass();
});
