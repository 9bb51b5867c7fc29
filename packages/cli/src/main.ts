// Parses the command line. Only yargs is loaded here: a command's body is imported when it runs, so that --help answers at once.
import yargs from 'yargs';
import type { Argv } from 'yargs';
import { LITERAL } from './commands/command.js';
import { commands } from './commands/index.js';
import { version } from './version.js';

/** Runs one command, tells its failure on stderr and sets the exit code. Never rejects. */
export async function run(argv: readonly string[]): Promise<void> {
  // `worker queues | head`: the reader has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  // Nobody reads the talk: the work goes on.
  process.stderr.on('error', () => {});
  try {
    await execute(argv);
  } catch (error) {
    const { describe, exitCodeOf } = await import('./exit.js');
    process.stderr.write(`worker: ${describe(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** Runs one command, which sets the exit code; rejects with its failure. */
export async function execute(argv: readonly string[]): Promise<void> {
  try {
    await parser(argv).parseAsync();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const { UsageError } = await import('./errors.js');
    throw new UsageError(error.message);
  }
}

/** A lone dash, of which yargs makes an empty text. */
const STDIN = '@-';

/** With what yargs would lose: a lone dash, and what follows `--`. */
function readable(argv: readonly string[]): string[] {
  const given = argv.map((argument) => (argument === '-' ? STDIN : argument));
  const end = given.indexOf('--');
  if (end < 0) return given;
  return [...given.slice(0, end), ...given.slice(end + 1).map((argument) => `${LITERAL}${argument}`)];
}

/** What yargs says does not tell what to do. */
const TOO_FEW = /^Not enough non-option arguments: got (\d+), need at least (\d+)$/;

function parser(argv: readonly string[]): Argv {
  return yargs(readable(argv))
    .scriptName('worker')
    .usage('$0 <command> [options]')
    .command([...commands])
    .completion('completion', 'Print a completion script for bash, zsh or fish')
    .locale('en')
    .option('color', { type: 'boolean', hidden: true })
    .option('quiet', { alias: 'q', type: 'boolean', describe: 'Say nothing but results and errors' })
    .middleware(({ color }) => {
      if (color !== false) return;
      delete process.env['FORCE_COLOR'];
      process.env['NO_COLOR'] = '1';
    })
    .demandCommand(1, 'Give a command: "worker --help" lists them.')
    .strict()
    .recommendCommands()
    .help()
    .alias('help', 'h')
    .version(version)
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail(fail);
}

/** What yargs refuses; told as a UsageError, whose module is not loaded for a command line that is right. */
class Mistake extends Error {}

function fail(message: string | null, error: Error | undefined): never {
  if (error && error.name !== 'YError') throw error;
  const said = (message || error?.message) ?? 'The command line is wrong.';
  throw new Mistake(
    said.replaceAll(LITERAL, '').replace(TOO_FEW, 'Arguments are missing: got $1, expected $2. Add --help to see which.'),
  );
}
