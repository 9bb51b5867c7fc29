// A producer that knows nothing of Warren: node examples/quickstart/plain-producer.mjs [amqp://…]
import { connect } from 'amqplib';

const url = process.argv[2] ?? process.env.AMQP_URL ?? 'amqp://localhost';
const connection = await connect(url);
const channel = await connection.createConfirmChannel();

const queue = 'quickstart.greetings';
await channel.checkQueue(queue);
channel.sendToQueue(queue, Buffer.from(JSON.stringify({ name: 'plain AMQP' })), { persistent: true });
await channel.waitForConfirms();
console.log(`sent to ${queue}`);

await connection.close();
