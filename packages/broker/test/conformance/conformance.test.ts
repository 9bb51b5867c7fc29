import { rabbitUrl, withRabbit } from '@warren/rabbitmq-node';
import test from 'ava';
import { startBroker, type EmbeddedBroker } from '../../src/index.js';
import { declarations } from './declarations.js';
import { deadLetters } from './dead-letters.js';
import { errors } from './errors.js';
import { messages } from './messages.js';
import { routing } from './routing.js';
import { Session } from './_session.js';

// The same conversations with this broker and with RabbitMQ, whose transcripts must be equal.

let broker: EmbeddedBroker;
test.before(async () => {
  broker = await startBroker({ port: 0 });
});
test.after.always(() => broker.close());

for (const [group, cases] of Object.entries({ declarations, routing, messages, deadLetters, errors })) {
  for (const [title, run] of Object.entries(cases)) {
    withRabbit(test)(`${group}: ${title}`, async (t) => {
      t.timeout(30_000);
      const [ours, theirs] = await Promise.all([Session.transcript(broker.url, run), Session.transcript(await rabbitUrl(), run)]);
      t.true(theirs.length > 0);
      t.deepEqual(ours, theirs);
    });
  }
}
