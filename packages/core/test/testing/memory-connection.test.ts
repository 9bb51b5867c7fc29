import test from 'ava';
import { queueOf, Topology } from '../../src/topology.js';
import { MemoryConnection, MemoryDelivery } from '../../src/testing/index.js';

function delivery(): MemoryDelivery {
  return new MemoryDelivery({ queue: 'q', exchange: '', routingKey: 'q', content: Buffer.alloc(0), properties: {} });
}

test('a delivery remembers how it was settled first, and only while its channel is open', (t) => {
  const [acked, requeued, rejected, lost] = [delivery(), delivery(), delivery(), delivery()];
  acked.ack();
  acked.reject();
  requeued.requeue();
  rejected.reject();
  lost.lost = true;
  lost.ack();
  t.deepEqual(
    [acked, requeued, rejected, lost].map(({ settled }) => settled),
    ['acked', 'requeued', 'rejected', undefined],
  );
});

test('what is published is kept, unless the test refuses it', async (t) => {
  const connection = new MemoryConnection();
  const message = { exchange: '', routingKey: 'q', content: Buffer.from('x'), properties: {}, options: {} };
  await connection.publish(message);
  connection.onPublish = () => {
    throw new Error('refused');
  };
  await t.throwsAsync(connection.publish(message), { message: 'refused' });
  t.deepEqual(connection.sent, [message]);
});

test('depth counts what was sent straight to a declared queue, and its consumers', async (t) => {
  const connection = new MemoryConnection();
  await t.throwsAsync(connection.depth('q'), { code: 'ERR_TOPOLOGY_MISSING' });
  await connection.declare(new Topology().queue(queueOf('q')));
  await connection.publish({ exchange: '', routingKey: 'q', content: Buffer.from('x'), properties: {}, options: {} });
  const consumer = await connection.consume({ queue: 'q', prefetch: 1 });
  t.deepEqual(await connection.depth('q'), { ready: 1, consumers: 1 });
  await consumer.cancel();
  t.deepEqual(await connection.depth('q'), { ready: 1, consumers: 0 });
});
