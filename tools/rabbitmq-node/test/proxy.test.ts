import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type FaultyProxy, freePort, startProxy } from '../src/index.js';
import { dial, received } from './_tcp.js';

/** A proxy in front of a server that sends back what it gets. */
async function echo(t: ExecutionContext): Promise<FaultyProxy> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startProxy({ port });
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

/** A connection through the proxy that has been answered. */
async function greeted(t: ExecutionContext, proxy: FaultyProxy): Promise<Socket> {
  const socket = await dial(t, proxy.port);
  socket.write('hello');
  t.is(await received(socket), 'hello');
  return socket;
}

/** 'silence', or the first of the answers when one comes within 100 ms. */
const silence = (...answers: Promise<string>[]) => Promise.race([...answers, sleep(100, 'silence')]);

test('Bytes and ends pass in both directions.', async (t) => {
  const proxy = await echo(t);
  const socket = await greeted(t, proxy);
  const ended = once(socket, 'end');
  socket.end();
  await t.notThrowsAsync(ended);
});

test('The proxied URL keeps everything but host and port.', async (t) => {
  const proxy = await echo(t);
  t.is(
    proxy.url('amqp://guest:secret@rabbit:5672/vhost?heartbeat=5'),
    `amqp://guest:secret@127.0.0.1:${proxy.port}/vhost?heartbeat=5`,
  );
  t.is(proxy.url('amqp://localhost'), `amqp://127.0.0.1:${proxy.port}`);
});

test('cut() resets open connections, and new ones work.', async (t) => {
  const proxy = await echo(t);
  const socket = await greeted(t, proxy);
  const cut = t.throwsAsync(received(socket), { code: 'ECONNRESET' });
  proxy.cut();
  await cut;
  await greeted(t, proxy);
});

test('stall() holds back every byte, of new connections too, until resume().', async (t) => {
  const proxy = await echo(t);
  const open = await greeted(t, proxy);
  proxy.stall();
  const fresh = await dial(t, proxy.port);
  open.write('from the open one');
  fresh.write('from the new one');
  const answers = [received(open), received(fresh)] as const;
  t.is(await silence(...answers), 'silence');
  proxy.resume();
  t.deepEqual(await Promise.all(answers), ['from the open one', 'from the new one']);
});

test('stall() lets the sender wait: what it writes is not buffered without limit.', async (t) => {
  const proxy = await echo(t);
  const socket = await greeted(t, proxy);
  proxy.stall();
  const sent = Buffer.alloc(64 << 20, 'x');
  let written = false;
  socket.write(sent, () => {
    written = true;
  });
  await sleep(200);
  t.false(written);
  proxy.resume();
  let length = 0;
  for await (const chunk of socket) {
    length += chunk.length;
    if (length === sent.length) break;
  }
  t.is(length, sent.length);
});

test('blackhole() accepts new connections and never answers them; open ones live on.', async (t) => {
  const proxy = await echo(t);
  const open = await greeted(t, proxy);
  proxy.blackhole(true);
  const swallowed = await dial(t, proxy.port);
  swallowed.write('anyone?');
  const answer = received(swallowed);
  t.is(await silence(answer), 'silence');
  open.write('still here');
  t.is(await received(open), 'still here');
  proxy.blackhole(false);
  await greeted(t, proxy);
  t.is(await silence(answer), 'silence');
});

test('refuse() refuses new connections; open ones live on.', async (t) => {
  const proxy = await echo(t);
  const open = await greeted(t, proxy);
  await proxy.refuse(true);
  await t.throwsAsync(dial(t, proxy.port), { code: 'ECONNREFUSED' });
  open.write('still here');
  t.is(await received(open), 'still here');
  await proxy.refuse(false);
  await greeted(t, proxy);
});

test('delay() makes bytes late in each direction, keeps their order, and adds up only once for many of them.', async (t) => {
  const proxy = await echo(t);
  const socket = await greeted(t, proxy);
  proxy.delay(100);
  const sentAt = performance.now();
  for (const letter of 'abcdefghij') {
    socket.write(letter);
    await sleep(2);
  }
  let text = '';
  while (text.length < 10) text += await received(socket);
  const took = performance.now() - sentAt;
  t.is(text, 'abcdefghij');
  t.true(took >= 200, `${took} ms`);
  t.true(took < 2_000, `${took} ms: not one delay after the other`);
});

test('A target that is down resets the connection, and close() ends everything.', async (t) => {
  const proxy = await startProxy({ port: await freePort() });
  const socket = await dial(t, proxy.port);
  await t.throwsAsync(received(socket), { code: 'ECONNRESET' });
  proxy.blackhole(true);
  const open = await dial(t, proxy.port);
  const closed = t.throwsAsync(received(open), { code: 'ECONNRESET' });
  await proxy.close();
  await closed;
  await t.throwsAsync(dial(t, proxy.port), { code: 'ECONNREFUSED' });
});
