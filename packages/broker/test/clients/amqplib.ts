import { connect, type ConsumeMessage } from 'amqplib';

// What every client has to be able to do, with amqplib. Prints what it saw as JSON.

const connection = await connect(process.argv[2] as string, { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertExchange('jobs', 'topic', { autoDelete: true });
await channel.assertQueue('dead', { durable: false });
await channel.assertQueue('work', { durable: true, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
await channel.bindQueue('work', 'jobs', 'work.#');
const returned = new Promise<number>((resolve) =>
  channel.once('return', ({ fields }) => resolve((fields as unknown as { replyCode: number }).replyCode)),
);

for (const [i, body] of ['first', 'second', '第3条消息'].entries()) {
  channel.publish('jobs', `work.${i}`, Buffer.from(body), { persistent: true, messageId: String(i + 1) });
}
channel.publish('jobs', 'nowhere', Buffer.from('lost'), { mandatory: true });
await channel.waitForConfirms();

await channel.prefetch(1);
const received: string[] = [];
let redelivered = false;
await new Promise<void>((resolve) => {
  void channel.consume('work', (message: ConsumeMessage | null) => {
    if (message === null) return;
    if (received.length === 0 && !message.fields.redelivered) return channel.nack(message);
    redelivered ||= message.fields.redelivered;
    received.push(`${message.properties.messageId} ${message.content.toString()}`);
    if (received.length < 3) return channel.ack(message);
    channel.reject(message, false);
    return resolve();
  });
});
const dead = await new Promise<string>((resolve) => {
  void channel.consume('dead', (message) => message && resolve(String(message.properties.headers?.['x-first-death-reason'])), {
    noAck: true,
  });
});
const doomed = await connection.createChannel();
const refused = new Promise<number>((resolve) => doomed.once('error', (error: { code: number }) => resolve(error.code)));
await doomed.assertQueue('work', { durable: false }).catch(() => {});
process.stdout.write(JSON.stringify({ received, redelivered, dead, returned: await returned, refused: await refused }));
await connection.close();
