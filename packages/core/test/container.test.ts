import test from 'ava';
import { createContainer, inject, injectable, registerDefault, token } from '../src/container.js';
import type { Token } from '../src/container.js';

interface Greeter {
  greet(): string;
}

const GREETER: Token<Greeter> = token('test-greeter');
const LIMIT: Token<number> = token('test-limit');

@injectable()
class Handler {
  constructor(
    @inject(GREETER) readonly greeter: Greeter,
    @inject(LIMIT) readonly limit: number,
  ) {}
}

test('constructor parameters are injected by their tokens', (t) => {
  const container = createContainer();
  registerDefault(container, GREETER, { greet: () => 'hello' });
  registerDefault(container, LIMIT, 3);
  const handler = container.resolve(Handler);
  t.is(handler.greeter.greet(), 'hello');
  t.is(handler.limit, 3);
});

test('a token whose type does not fit its parameter does not compile', (t) => {
  class Misfit {
    // @ts-expect-error a number is no Greeter
    constructor(@inject(LIMIT) readonly greeter: Greeter) {}
  }
  t.is(typeof Misfit, 'function');
});

test('a parameter without @inject is an error where the class is defined', (t) => {
  const error = t.throws(defineForgetful, { code: 'ERR_MISSING_INJECT' });
  t.true(error.message.includes('#1 of Forgetful'), error.message);
});

function defineForgetful(): unknown {
  @injectable()
  class Forgetful {
    constructor(
      @inject(LIMIT) readonly limit: number,
      readonly forgotten: Greeter,
    ) {}
  }
  return Forgetful;
}

test('a class without parameters needs no @inject', (t) => {
  @injectable()
  class Plain {
    readonly name = 'plain';
  }
  t.is(createContainer().resolve(Plain).name, 'plain');
});

test('a default gives way to what is registered, in the container or above it', (t) => {
  const parent = createContainer();
  parent.register(LIMIT, { useValue: 1 });
  const child = createContainer(parent);
  registerDefault(child, LIMIT, 2);
  t.is(child.resolve(LIMIT), 1);
  const own = createContainer();
  registerDefault(own, LIMIT, 3);
  registerDefault(own, LIMIT, 4);
  t.is(own.resolve(LIMIT), 3);
});

test('containers of two workers do not see each other', (t) => {
  const [one, other] = [createContainer(), createContainer()];
  registerDefault(one, GREETER, { greet: () => 'one' });
  t.false(other.isRegistered(GREETER, true));
});

test('two copies of a package mean the same service by the same name', (t) => {
  t.is(token('test-limit'), LIMIT);
  t.not(token('test-other'), LIMIT);
});
