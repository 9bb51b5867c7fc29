import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'ava';
import { brokerUrl } from '@warren/test-broker';
import { Broker } from '../src/broker/broker.js';

test('a connection to a broker that does not answer its end is cut', async (t) => {
  const to = new URL(await brokerUrl());
  const upstream = createConnection(Number(to.port || 5672), to.hostname);
  const proxy = createServer().listen(0, '127.0.0.1');
  t.teardown(() => {
    proxy.close();
    upstream.destroy();
  });
  await once(proxy, 'listening');
  const connecting = once(proxy, 'connection') as Promise<[Socket]>;
  const url = Object.assign(new URL(to), { host: `127.0.0.1:${(proxy.address() as AddressInfo).port}` }).href;
  const connected = Broker.connect({ urls: [url], timeout: 30_000 });
  const [client] = await connecting;
  client
    .on('error', () => {})
    .pipe(upstream)
    .pipe(client);
  const broker = await connected;
  upstream.unpipe(client);
  const cut = once(client, 'close');
  client.resume();
  await broker[Symbol.asyncDispose]();
  await cut;
  t.pass();
});
