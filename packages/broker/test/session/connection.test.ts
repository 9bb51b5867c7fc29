import { connect } from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import * as fc from 'fast-check';
import { broker, client } from '../_broker.js';
import { Wire } from '../_wire.js';

test('A wrong protocol header is answered with the right one.', async (t) => {
  const { port } = await broker(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.is(answer.toString('latin1'), 'AMQP\0\0\x09\x01');
  await once(socket, 'close');
});

test('A client that asks for more than is offered is dropped.', async (t) => {
  const { port } = await broker(t);
  for (const tune of [{ frameMax: 1_000_000 }, { frameMax: 0 }, { frameMax: 1000 }, { channelMax: 0 }, { channelMax: 60_000 }]) {
    const wire = new Wire(port);
    t.is(await wire.handshake({ tune }), undefined);
  }
});

test('One channel too many closes the connection.', async (t) => {
  const { port } = await broker(t);
  const wire = new Wire(port);
  t.teardown(() => wire.end());
  await wire.handshake({ tune: { channelMax: 2 } });
  await wire.call(3, 'channel.open', {});
  await wire.call(7, 'channel.open', {});
  const refused = await wire.call(1, 'channel.open', {});
  t.like(refused?.method.args, {
    replyCode: 530,
    replyText: 'NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)',
  });
});

test('Heartbeats come while nothing else does, and a silent client is dropped after two intervals.', async (t) => {
  const { port } = await broker(t);
  const wire = new Wire(port);
  await wire.handshake({ tune: { heartbeat: 1 } });
  const start = performance.now();
  await wire.until(() => wire.closed);
  t.true(performance.now() - start >= 2000);
  t.true(wire.heartbeats >= 2);
});

test('Bodies larger than a frame are cut and put together again.', async (t) => {
  const { url } = await broker(t);
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
  channel.sendToQueue('q', body);
  await channel.waitForConfirms();
  const got = await channel.get('q', { noAck: true });
  t.true(got !== false && got.content.equals(body));
});

test('Whatever nonsense one client sends, the others go on.', async (t) => {
  const { port, url } = await broker(t);
  const { channel } = await client(t, url);
  await channel.assertQueue('q', { durable: false });
  const octets = fc.uint8Array({ minLength: 1, maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('header', 'handshake', 'channel', 'frame'),
      octets,
      fc.nat(3),
      async (stage, octets, type) => {
        const wire = new Wire(port);
        if (stage !== 'header') await wire.handshake();
        if (stage === 'channel' || stage === 'frame') await wire.call(1, 'channel.open', {});
        const head = Buffer.from([type, 0, 1, 0, 0, octets.length >> 8, octets.length & 255]);
        wire.raw(stage === 'frame' ? Buffer.concat([head, octets, Buffer.from([0xce])]) : Buffer.from(octets));
        wire.socket.end();
        await wire.until(() => wire.closed);
        t.like(await channel.checkQueue('q'), { queue: 'q' });
      },
    ),
    { numRuns: 150 },
  );
});
