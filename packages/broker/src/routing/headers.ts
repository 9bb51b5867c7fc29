import type { FieldTable } from '../amqp/field-table.js';
import { plain, sameValue, textOf } from '../amqp/fields.js';
import { typeName } from '../amqp/field-table.js';
import { AmqpError } from '../amqp/replies.js';
import type { Binding, Destination } from './binding.js';
import type { BindingIndex, Routable } from './exchange.js';

// Headers exchanges (specification 3.1.3.4) with RabbitMQ's `-with-x` modes: without them, keys that start with x- do not count.

type Mode = 'all' | 'any' | 'all-with-x' | 'any-with-x';

const MODES = new Set<string>(['all', 'any', 'all-with-x', 'any-with-x'] satisfies Mode[]);

export class HeadersIndex implements BindingIndex {
  readonly #bindings = new Set<Binding>();

  add(binding: Binding): void {
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding);
  }

  match(message: Routable, found: (destination: Destination) => void): void {
    const headers = message.headers();
    for (const binding of this.#bindings) {
      if (matches(binding.arguments, headers)) found(binding.destination);
    }
  }
}

function matches(pattern: FieldTable, headers: FieldTable): boolean {
  const mode = (textOf(pattern.get('x-match')) ?? 'all') as Mode;
  const withX = mode.endsWith('-with-x');
  const asked = [...pattern].filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')));
  const holds = ([name, wanted]: (typeof asked)[number]): boolean => {
    const header = headers.get(name);
    return header !== undefined && (wanted.type === 'V' || sameValue(wanted, header));
  };
  return mode.startsWith('all') ? asked.every(holds) : asked.some(holds);
}

/** Refuses a binding whose x-match is not one of the four modes. */
export function checkHeadersBinding(pattern: FieldTable): void {
  const field = pattern.get('x-match');
  if (field === undefined) return;
  const mode = textOf(field);
  if (mode === undefined) {
    const given = `{${typeName(field)},${JSON.stringify(plain(field))}}`;
    throw new AmqpError('PRECONDITION_FAILED', `Invalid x-match field type ${given} (expected longstr)`);
  }
  if (!MODES.has(mode)) {
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `Invalid x-match field value <<"${mode}">>; expected all, any, all-with-x, or any-with-x`,
    );
  }
}
