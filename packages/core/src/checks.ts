// Checks of what programs without types may give, for core and plugins.
import { InvalidOptionError, UnknownOptionError } from './errors.js';

/** Throws `ERR_INVALID_OPTION` for what is no object, and `ERR_UNKNOWN_OPTION` for the first option that is not `known`. */
export function requireOptions(given: unknown, where: string, known: Iterable<string>): asserts given is object {
  const options = [...known];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError({ option: where, expected: `an object with some of ${options.join(', ')}`, got: given });
  }
  const unknown = Object.keys(given).find((option) => !options.includes(option));
  if (unknown !== undefined) throw new UnknownOptionError({ option: unknown, where, known: options });
}

/** Throws `ERR_INVALID_OPTION` unless `got` is a whole number within the bounds. */
export function requireWhole(
  option: string,
  got: unknown,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): void {
  if (Number.isSafeInteger(got) && (got as number) >= min && (got as number) <= max) return;
  const expected = max === Number.MAX_SAFE_INTEGER ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  throw new InvalidOptionError({ option, expected, got });
}
