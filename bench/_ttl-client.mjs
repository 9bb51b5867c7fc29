// For bench/broker.mjs: publishes messages with a TTL from a process of its own and tells how late they became dead letters.
import { connect } from 'amqplib';

const COUNT = 400;
const connection = await connect(process.argv[2], { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertQueue('dead', { durable: false });
const late = [];
const done = new Promise((resolve) => {
  void channel.consume(
    'dead',
    ({ content }) => {
      late.push(Date.now() - Number(content.toString()));
      if (late.length === COUNT) resolve();
    },
    { noAck: true },
  );
});
for (let i = 0; i < COUNT; i++) {
  const queue = `wait.${i}`;
  const ttl = 100 + (i % 500);
  await channel.assertQueue(queue, { durable: false, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  channel.sendToQueue(queue, Buffer.from(String(Date.now() + ttl)), { expiration: String(ttl) });
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await done;
process.send(late);
process.disconnect();
await connection.close();
