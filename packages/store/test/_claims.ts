import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { ownPrefix } from './_keys.js';

const ROUNDS = 200;

/** Two processes are told to claim a key at once, again and again: each time exactly one gets it, and not always the same. */
export async function claimsOfProcesses(t: ExecutionContext, url: string): Promise<void> {
  const prefix = ownPrefix();
  const claimers = [claimer(t, url), claimer(t, url)];
  await Promise.all(claimers.map(said));
  const won = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const answers = claimers.map(said);
    const order = round % 2 ? claimers : claimers.toReversed();
    for (const claimer of order) claimer.send(prefix + round);
    const got = await Promise.all(answers);
    t.is(got.filter(Boolean).length, 1);
    won[got.indexOf(true)]! += 1;
  }
  t.true(
    won.every((count) => count > 0),
    won.join(' and '),
  );
}

function claimer(t: ExecutionContext, url: string): ChildProcess {
  const child = fork(new URL('_claimer.js', import.meta.url), [url]);
  t.teardown(() => child.kill());
  return child;
}

async function said(claimer: ChildProcess): Promise<unknown> {
  const [answer]: unknown[] = await once(claimer, 'message');
  return answer;
}
