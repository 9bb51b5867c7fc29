import { once } from 'node:events';
import type { CrashPoint } from './_victim.js';
import { CANDIDATES, Scene } from './_victims.js';

type Name = keyof typeof CANDIDATES;

/** How many effects one message has whose worker is killed -9 at a point, and comes again to another worker. */
const MATRIX: Record<CrashPoint, Record<Name, number>> = {
  'before the effect': { LMDB: 1, Redis: 1, PostgreSQL: 1, 'a PostgreSQL transaction': 1 },
  'between the effect and the mark': { LMDB: 2, Redis: 2, PostgreSQL: 2, 'a PostgreSQL transaction': 1 },
  'between the mark and the ack': { LMDB: 1, Redis: 1, PostgreSQL: 1, 'a PostgreSQL transaction': 1 },
};

for (const [point, row] of Object.entries(MATRIX) as Array<[CrashPoint, Record<Name, number>]>) {
  for (const [name, expected] of Object.entries(row) as Array<[Name, number]>) {
    CANDIDATES[name].test(
      `A worker is killed ${point}: with ${name} ${expected === 1 ? 'there is 1 effect' : `there are ${expected} effects`}.`,
      async (t) => {
        const scene = await Scene.open(t, CANDIDATES[name]);
        const victim = await scene.worker({ crash: point });
        const died = once(victim, 'exit');
        await scene.publish(1);
        t.deepEqual(await died, [null, 'SIGKILL']);
        await scene.worker();
        await scene.settled();
        t.is((await scene.effects.all()).length, expected);
      },
    );
  }
}
