import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Reads the process group to end, line by line, until the writer of the pipe is gone, however it went. A signal that a process may
 * handle gets ten seconds. The removal is tried twice, because killed processes may still be letting go of their files.
 */
const SCRIPT = `
while read -r line; do group=$line; done
end() { kill -s "$1" -- "-$group"; }
if [ -n "$group" ] && [ "$SIGNAL" != KILL ]; then
  end "$SIGNAL" && end CONT
  tries=100
  while [ $tries -gt 0 ] && end 0; do sleep 0.1; tries=$((tries - 1)); done
fi
[ -z "$group" ] || end KILL
[ -z "$FOLDER" ] || rm -rf "$FOLDER" || { sleep 1; rm -rf "$FOLDER"; }`;

/**
 * A small shell that outlives this process, or this worker thread, by a moment: it ends the guarded process group and removes the
 * folder. A pipe tells it, so that it works after a crash and after SIGKILL, where exit hooks do not.
 */
export class Lifeline {
  readonly #shell: ChildProcessByStdio<Writable, null, null>;

  /** `folder` is removed in the end; without one nothing is. A group that does not end at `signal` is killed. */
  constructor(folder: string | undefined, signal: 'KILL' | 'QUIT' = 'KILL') {
    const env = { PATH: process.env['PATH'], FOLDER: folder, SIGNAL: signal };
    this.#shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env, cwd: '/' });
    this.#shell.unref();
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref();
  }

  /** The process group to end; undefined for none. */
  guard(group: number | undefined): void {
    this.#shell.stdin.write(`${group ?? ''}\n`);
  }

  /** Ends what is guarded, removes the folder, and resolves when both are done. */
  async cut(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    this.#shell.ref();
    this.#shell.stdin.end();
    await once(this.#shell, 'exit');
  }
}
