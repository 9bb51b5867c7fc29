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
      process.exitCode = await run({ ...flags, ...single(flags, { ...options, ...positionals }) } as F);
    },
  };
}

/** Begins an argument that is no flag, whatever it looks like: it came after `--`. No argument can hold this character. */
export const LITERAL = '\0';

/** What takes one value: given again, the last counts, as it does from source to source of the configuration. */
function single(flags: Record<string, unknown>, known: Record<string, Options>): Record<string, unknown> {
  const names = Object.keys(known).filter((name) => !known[name]?.array && name in flags);
  return Object.fromEntries(
    names.map((name) => {
      const last: unknown = [flags[name]].flat().at(-1);
      return [name, typeof last === 'string' && last.startsWith(LITERAL) ? last.slice(LITERAL.length) : last];
    }),
  );
}
