// worker start --watch: a parent that restarts a child, by the same graceful stop as everywhere. Not `node --watch`, which does not
// see the modules that jiti loads.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { watch as watchFiles } from 'chokidar';
import { EXIT } from '../exit.js';
import type { StartFlags } from './start.js';

const WATCHED = /\.(?:[cm]?[jt]s|json|ya?ml)$/;
const IGNORED = /(?:^|[/\\])(?:node_modules|dist|coverage|\.[^/\\.][^/\\]*)(?:[/\\]|$)/;

/** Milliseconds: an editor or a checkout changes several files at once. */
const SETTLE = 100;

/** Resolves to the exit code of the last child, when a signal has ended it. */
export async function watch(flags: StartFlags): Promise<number> {
  const cwd = resolve(flags.cwd ?? '.');
  const watched = watchFiles(cwd, {
    ignoreInitial: true,
    ignored: (path, stats) => IGNORED.test(relative(cwd, path)) || (stats?.isFile() === true && !WATCHED.test(path)),
  });
  await using _ = { [Symbol.asyncDispose]: () => watched.close() };
  return await new Restarter(flags).run((changed) => watched.on('all', (_event, path) => changed(relative(cwd, path))));
}

class Restarter {
  readonly #quiet: boolean;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ending = false;
  #end: (code: number) => void = () => {};

  constructor({ quiet }: StartFlags & { quiet?: boolean | undefined }) {
    this.#quiet = quiet ?? false;
  }

  async run(onChange: (changed: (path: string) => void) => void): Promise<number> {
    const ended = new Promise<number>((resolve) => (this.#end = resolve));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#stop(signal));
    onChange((path) => this.#changed(path));
    this.#spawn();
    return ended;
  }

  #spawn(): void {
    const [script = '', ...args] = process.argv.slice(1);
    const rest = args.filter((argument) => argument !== '--watch');
    const child = spawn(process.execPath, [...process.execArgv, script, ...rest], {
      // The channel tells the child when this process is gone, however it went.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.once('exit', (code, signal) => {
      if (this.#ending) this.#end(code ?? EXIT.failed);
      else if (child === this.#child) this.#say(`the worker ended (${signal ?? code}); waiting for a change`);
    });
  }

  #changed(path: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#restart(path), SETTLE);
  }

  async #restart(path: string): Promise<void> {
    const old = this.#child;
    if (this.#ending || !old) return;
    this.#child = undefined;
    this.#say(`${path} changed: restarting`);
    if (isRunning(old)) {
      old.kill('SIGTERM');
      await once(old, 'exit');
    }
    if (!this.#ending) this.#spawn();
  }

  /** The terminal sends Ctrl-C to the child as well; a TERM that follows it is ignored there. */
  #stop(signal: NodeJS.Signals): void {
    clearTimeout(this.#timer);
    const again = this.#ending;
    this.#ending = true;
    if (!this.#child || !isRunning(this.#child)) return this.#end(EXIT.done);
    this.#child.kill(again ? signal : 'SIGTERM');
  }

  #say(text: string): void {
    if (!this.#quiet) process.stderr.write(`worker: ${text}\n`);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
