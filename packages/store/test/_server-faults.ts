import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PrivateServer } from '@warren/store-servers';
import type { ExecutionContext, SerialFn } from 'ava';
import { muteProxy } from './_mute-proxy.js';
import { answer } from './_patience.js';
import { createStore, type Store } from '../src/index.js';

const TIMEOUT = 1_500;
/** How much later than its timeout a rejection may come on a busy machine. */
const SLACK = 5_000;
const USER = fileURLToPath(new URL('_store-user.js', import.meta.url));

export interface FaultyServer {
  readonly name: string;
  readonly start: () => Promise<PrivateServer>;
  /** The url of a store on it. */
  readonly url: (server: PrivateServer) => string;
  /** Makes the server ask for a password that our url does not have. */
  readonly changePassword: (server: PrivateServer) => Promise<void>;
}

/** What every store that is a server must bear. */
export function serverFaults(test: SerialFn['skip'], { name, start, url, changePassword }: FaultyServer): void {
  const storeOn = (t: ExecutionContext, server: PrivateServer): Store => {
    const store = createStore(url(server), { timeout: TIMEOUT });
    t.teardown(() => store.close().catch(() => {}));
    return store;
  };
  const connected = async (t: ExecutionContext, server: PrivateServer): Promise<Store> => {
    const store = storeOn(t, server);
    await answer(() => store.get('key'));
    return store;
  };

  test(`${name}: calls reject on time while the server is down, work again later, and nothing is lost.`, async (t) => {
    await using server = await start();
    const store = await connected(t, server);
    const version = await store.putIfAbsent('kept', 'value');
    const underway = Array.from({ length: 20 }, (_, index) => store.putIfAbsent(`underway-${index}`, '').catch(codeOf));
    await server.kill();
    for (const code of await Promise.all(underway)) t.true(typeof code === 'number' || DOWN.has(code), String(code));
    for (const call of eachCall(store)) t.is(await refusal(call), 'ERR_STORE_UNAVAILABLE');
    await server.start();
    t.is((await answer(() => store.get('kept')))?.version, version);
  });

  test(`${name}: a server that is not there yet is one that is down.`, async (t) => {
    await using server = await start();
    await server.stop();
    const store = storeOn(t, server);
    for (const call of eachCall(store)) t.is(await refusal(call), 'ERR_STORE_UNAVAILABLE');
    await t.throwsAsync(store.get('key'), { message: /ECONNREFUSED/ });
    await server.start();
    t.is(await answer(() => store.get('key')), undefined);
  });

  test(`${name}: calls of a frozen server time out, later ones work again.`, async (t) => {
    await using server = await start();
    const store = await connected(t, server);
    await store.putIfAbsent('kept', 'value');
    server.freeze();
    const codes = await Promise.all(eachCall(store).map(refusal));
    t.deepEqual([...new Set(codes)], ['ERR_STORE_TIMEOUT']);
    // By now the connections have been given up: there is no answer to wait for.
    for (const call of eachCall(store)) t.true(DOWN.has(await refusal(call)));
    server.thaw();
    t.is((await answer(() => store.get('kept')))?.value, 'value');
  });

  test(`${name}: a frozen server holds up neither the first call nor the close.`, async (t) => {
    await using server = await start();
    const [unused, used] = [storeOn(t, server), await connected(t, server)];
    server.freeze();
    t.is(await refusal(() => unused.get('key')), 'ERR_STORE_TIMEOUT');
    for (const store of [unused, used]) {
      const code = await refusal(() => store.close());
      t.true(code === undefined || code === 'ERR_STORE_TIMEOUT', String(code));
      t.is(await refusal(() => store.get('key')), 'ERR_STORE_CLOSED');
    }
  });

  test(`${name}: a wrong password is an error that does not tell it.`, async (t) => {
    await using server = await start();
    const address = new URL(url(server));
    address.password = 'se-cret';
    await changePassword(server);
    const store = createStore(address.href, { timeout: TIMEOUT });
    t.teardown(() => store.close());
    const error = await t.throwsAsync(store.get('key'), { code: 'ERR_STORE_UNAVAILABLE', message: /password/i });
    t.notRegex(`${error?.message} ${String(error?.cause)} ${JSON.stringify(error)}`, /se-cret/);
  });

  test(`${name}: a process ends by itself once its store is closed, also while the server is frozen.`, async (t) => {
    await using server = await start();
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [USER, url(server)], { timeout: 60_000 });
    t.is(stdout, 'closed\n');
    const frozen = run(process.execPath, [USER, url(server), 'slowly'], { timeout: 60_000 });
    frozen.child.stdout?.once('data', () => server.freeze());
    t.is((await frozen).stdout, 'used\nclosed\n');
  });
}

/** A server is found by the address that it has here, and not by one that it tells. */
export function silentLoss(test: SerialFn['skip'], { name, start, url }: FaultyServer): void {
  test(`${name}: connections that are lost without a word are given up, and made anew.`, async (t) => {
    await using server = await start();
    const proxy = await muteProxy(t, server.port);
    const address = Object.assign(new URL(url(server)), { port: String(proxy.port) });
    const store = createStore(address.href, { timeout: TIMEOUT });
    t.teardown(() => store.close());
    await answer(() => store.get('key'));
    const version = await store.putIfAbsent('kept', 'value');
    proxy.mute();
    t.is(await refusal(() => store.get('kept')), 'ERR_STORE_TIMEOUT');
    t.is((await answer(() => store.get('kept')))?.version, version);
  });
}

const DOWN: ReadonlySet<unknown> = new Set(['ERR_STORE_UNAVAILABLE', 'ERR_STORE_TIMEOUT']);

function eachCall(store: Store): Array<() => Promise<unknown>> {
  return [
    () => store.get('key'),
    () => store.putIfAbsent('key', 'value'),
    () => store.replaceIfVersion('key', 1, { value: 'value' }),
    () => store.deleteIfVersion('key', 1),
    () => store.list('')[Symbol.asyncIterator]().next(),
  ];
}

/** The code with which a call rejects; undefined where it resolves. A late end is none. */
async function refusal(call: () => Promise<unknown>): Promise<unknown> {
  const began = performance.now();
  const code = await call().then(() => undefined, codeOf);
  const took = performance.now() - began;
  return took < TIMEOUT + SLACK ? code : `after ${took} ms: ${String(code)}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}
