import { createInterface } from 'node:readline';
import { ConfirmationNeededError } from './errors.js';

/** Asks whether to go on although `loss` is lost. Without a terminal that is `ERR_CONFIRMATION_NEEDED`, which names --yes. */
export async function confirmed(loss: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new ConfirmationNeededError({ loss });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    // Ctrl-C and Ctrl-D are a no.
    terminal.once('close', () => resolve(''));
    terminal.question(`${loss} There is no undo. Go on? [y/N] `, resolve);
  });
  terminal.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
