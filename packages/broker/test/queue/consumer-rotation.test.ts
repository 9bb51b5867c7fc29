import test from 'ava';
import { ConsumerRotation, type Taker } from '../../src/queue/consumer-rotation.js';

class Consumer implements Taker {
  room = true;
  constructor(
    readonly name: string,
    readonly priority = 0,
  ) {}
  canTake(): boolean {
    return this.room;
  }
}

const turns = (rotation: ConsumerRotation<Consumer>, count: number): string =>
  Array.from({ length: count }, () => rotation.next()?.name ?? '-').join('');

test('Consumers take turns.', (t) => {
  const rotation = new ConsumerRotation<Consumer>(false);
  for (const name of ['a', 'b', 'c']) rotation.add(new Consumer(name));
  t.is(turns(rotation, 7), 'abcabca');
});

test('One without room leaves, and rejoins at the end.', (t) => {
  const rotation = new ConsumerRotation<Consumer>(false);
  const [a, b] = [new Consumer('a'), new Consumer('b')];
  rotation.add(a);
  rotation.add(b);
  a.room = false;
  t.is(turns(rotation, 2), 'bb');
  a.room = true;
  t.is(turns(rotation, 1), 'b');
  rotation.rejoin(a);
  t.is(turns(rotation, 3), 'bab');
});

test('A higher priority is served as long as it has room.', (t) => {
  const rotation = new ConsumerRotation<Consumer>(false);
  const [low, high] = [new Consumer('l'), new Consumer('h', 5)];
  rotation.add(low);
  rotation.add(high);
  t.is(turns(rotation, 2), 'hh');
  high.room = false;
  t.is(turns(rotation, 2), 'll');
});

test('A single active consumer is followed by the next in line, and waited for meanwhile.', (t) => {
  const rotation = new ConsumerRotation<Consumer>(true);
  const [a, b] = [new Consumer('a'), new Consumer('b')];
  rotation.add(a);
  rotation.add(b);
  a.room = false;
  t.is(turns(rotation, 1), '-');
  rotation.remove(a);
  t.is(turns(rotation, 2), 'bb');
});
