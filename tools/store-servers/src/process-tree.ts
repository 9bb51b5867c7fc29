import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

interface Listed {
  readonly pid: number;
  readonly parent: number;
}

/** Processes that have not ended; one that nobody has reaped yet has. */
function living(): Listed[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

/** Signals a server and its children, itself first, and returns their ids. PostgreSQL's children are no members of its process group. */
export function signalTree(pid: number, signal: NodeJS.Signals): number[] {
  const children = living().filter(({ parent }) => parent === pid);
  const members = [pid, ...children.map((child) => child.pid)];
  for (const member of members) signalOne(member, signal);
  return members;
}

/** SIGSTOP or SIGKILL: once the server has stopped, it makes no children that the list would not have. */
export function signalWholeTree(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): number[] {
  signalOne(pid, 'SIGSTOP');
  return signalTree(pid, signal);
}

/** Resolves when none of them is there any more. */
export async function ended(pids: readonly number[]): Promise<void> {
  while (living().some(({ pid }) => pids.includes(pid))) await sleep(5);
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
