import { Connection, ConsumerStatus } from 'rabbitmq-client';

// The same as amqplib.ts, with a client that shares no code with it.

const connection = new Connection(process.argv[2]);
connection.on('error', () => {});
await connection.exchangeDeclare({ exchange: 'jobs', type: 'topic', autoDelete: true });
await connection.queueDeclare({ queue: 'dead', durable: false });
const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
await connection.queueDeclare({ queue: 'work', durable: true, arguments: args });
await connection.queueBind({ queue: 'work', exchange: 'jobs', routingKey: 'work.#' });
const publisher = connection.createPublisher({ confirm: true });
const returned = new Promise<number>((resolve) => publisher.once('basic.return', ({ replyCode }) => resolve(replyCode)));

for (const [i, body] of ['first', 'second', '第3条消息'].entries()) {
  await publisher.send({ exchange: 'jobs', routingKey: `work.${i}`, durable: true, messageId: String(i + 1) }, Buffer.from(body));
}
await publisher.send({ exchange: 'jobs', routingKey: 'nowhere', mandatory: true }, Buffer.from('lost'));

const received: string[] = [];
let redelivered = false;
await new Promise<void>((resolve) => {
  connection.createConsumer({ queue: 'work', queueOptions: { passive: true }, qos: { prefetchCount: 1 } }, async (message) => {
    if (received.length === 0 && !message.redelivered) return ConsumerStatus.REQUEUE;
    redelivered ||= message.redelivered;
    received.push(`${message.messageId} ${String(message.body)}`);
    if (received.length < 3) return ConsumerStatus.ACK;
    setImmediate(resolve);
    return ConsumerStatus.DROP;
  });
});
const dead = await new Promise<string>((resolve) => {
  connection.createConsumer({ queue: 'dead', noAck: true, queueOptions: { passive: true } }, (message) => {
    resolve(String(message.headers?.['x-first-death-reason']));
  });
});
const refused = await connection.queueDeclare({ queue: 'work', durable: false }).then(
  () => 0,
  ({ code }: { code: string }) => (code === 'PRECONDITION_FAILED' ? 406 : 0),
);
process.stdout.write(JSON.stringify({ received, redelivered, dead, returned: await returned, refused }));
process.exit();
