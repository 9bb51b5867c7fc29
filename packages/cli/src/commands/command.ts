import type { CommandModule, Options, PositionalOptions } from 'yargs';

/** One command: what yargs has to know before the command's body is loaded. `F` is its flags and arguments. */
export interface Command<F> {
  /** With its arguments: `publish [exchange]`; the first of several names is shown. */
  readonly command: string | readonly string[];
  readonly describe: string;
  readonly options: Record<string, Options>;
  readonly positionals?: Record<string, PositionalOptions>;
  readonly examples: ReadonlyArray<readonly [command: string, what: string]>;
  /** Resolves to the exit code. */
  readonly run: (flags: F) => Promise<number>;
}

/** For yargs. Its types infer flags from options; ours are written out, beside each command's body. */
export function commandModule<F>({ command, describe, options, positionals = {}, examples, run }: Command<F>): CommandModule {
  return {
    command,
    describe,
    builder: (yargs) => {
      for (const [name, positional] of Object.entries(positionals)) yargs.positional(name, positional);
      return yargs.options(options).example(examples as Array<[string, string]>);
    },
    handler: async (flags) => {
      process.exitCode = await run(flags as F);
    },
  };
}
