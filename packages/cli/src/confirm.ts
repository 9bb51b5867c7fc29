import { createInterface } from 'node:readline/promises';
import { ConfirmationNeededError } from './errors.js';

/** Asks whether to go on although `loss` is lost. Without a terminal that is `ERR_CONFIRMATION_NEEDED`, which names --yes. */
export async function confirmed(loss: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new ConfirmationNeededError({ loss });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${loss} There is no undo. Go on? [y/N] `);
  terminal.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
