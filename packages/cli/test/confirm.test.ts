import { PassThrough } from 'node:stream';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { confirmed } from '../src/confirm.js';

/** Puts a terminal at which somebody types in the place of stdin. */
function typing(t: ExecutionContext, ...typed: string[]): void {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin') as PropertyDescriptor;
  Object.defineProperty(process, 'stdin', { value: terminal, configurable: true });
  t.teardown(() => Object.defineProperty(process, 'stdin', stdin));
  for (const text of typed) terminal.write(text);
  terminal.end();
}

for (const [typed, expected] of [
  ['y\n', true],
  ['Yes\n', true],
  ['n\n', false],
  ['\n', false],
  ['', false],
] as const) {
  test.serial(`${JSON.stringify(typed)} and the end of the input is ${expected ? 'a yes' : 'a no'}`, async (t) => {
    typing(t, typed);
    t.is(await confirmed('All is lost.'), expected);
  });
}

test.serial('where nobody can be asked, it is told how to do it', async (t) => {
  await t.throwsAsync(confirmed('All is lost.'), { code: 'ERR_CONFIRMATION_NEEDED', message: /^All is lost\. .*--yes/ });
});
