import test from 'ava';
import { channelFailure, refusal } from '../../src/amqp/failure.js';
import { ConnectionLostError } from '../../src/errors.js';

/** As the client makes them out of the broker's close. */
function closed(operation: string, code: number, text: string): Error {
  const name = text.slice(0, text.indexOf(' ')).replace('_', '-');
  return Object.assign(new Error(`Operation failed: ${operation}; ${code} (${name}) with message "${text}"`), { code });
}

function channelError(code: number, text: string): Error {
  return Object.assign(new Error(`Channel closed by server: ${code} (X) with message "${text}"`), { code });
}

const texts: ReadonlyArray<readonly [what: string, error: Error, code: string, words: readonly string[]]> = [
  [
    'an exchange that nobody may use',
    closed('ExchangeDeclare', 403, "ACCESS_REFUSED - access to exchange 'x' in vhost '/' refused for user 'lim'"),
    'ERR_ACCESS_REFUSED',
    ["access to exchange 'x'"],
  ],
  [
    'an exclusive queue of another connection',
    closed('QueueDeclare', 405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'."),
    'ERR_ACCESS_REFUSED',
    ['locked queue'],
  ],
  [
    'a missing queue',
    closed('QueueDeclare', 404, "NOT_FOUND - no queue 'q' in vhost '/'"),
    'ERR_TOPOLOGY_MISSING',
    ["no queue 'q' in vhost '/'"],
  ],
  [
    'an argument with another value',
    closed(
      'QueueDeclare',
      406,
      "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received '2000' but current is '1000'",
    ),
    'ERR_TOPOLOGY_MISMATCH',
    ["\"x-message-ttl\" is '1000' on the broker and '2000' in this worker"],
  ],
  [
    'an argument that only the broker has',
    closed(
      'QueueDeclare',
      406,
      "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received none but current is the value '1000' of type 'signedint'",
    ),
    'ERR_TOPOLOGY_MISMATCH',
    ["is the value '1000' of type 'signedint' on the broker and none in this worker"],
  ],
  [
    'another durability',
    closed(
      'QueueDeclare',
      406,
      "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'",
    ),
    'ERR_TOPOLOGY_MISMATCH',
    ['"durable"'],
  ],
  [
    'an argument that the queue type does not take',
    closed(
      'QueueDeclare',
      406,
      "PRECONDITION_FAILED - invalid arg 'x-delivery-limit' for queue 'q' in vhost '/' of queue type rabbit_classic_queue",
    ),
    'ERR_CHANNEL_CLOSED',
    ['x-delivery-limit'],
  ],
  [
    'a job that outlived the consumer timeout',
    channelError(
      406,
      'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. This timeout value can be configured, see consumers doc guide to learn more',
    ),
    'ERR_CHANNEL_CLOSED',
    ['timed out'],
  ],
  [
    'an unknown delivery tag',
    channelError(406, 'PRECONDITION_FAILED - unknown delivery tag 3'),
    'ERR_CHANNEL_CLOSED',
    ['unknown delivery tag 3'],
  ],
  [
    'an exclusive consumer',
    channelError(403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"),
    'ERR_ACCESS_REFUSED',
    ['in exclusive use'],
  ],
  ['a channel that has gone', new Error('Channel ended, no reply will be forthcoming'), 'ERR_CONNECTION_LOST', []],
];

for (const [what, error, code, words] of texts) {
  test(`${what} is ${code}, with the broker's words and the cause`, (t) => {
    const failure = channelFailure(error, 'Queue "q"');
    t.is(failure.code, code);
    t.is(failure.cause, error);
    for (const word of words) t.true(failure.message.includes(word), failure.message);
  });
}

test('an error that is typed already stays as it is', (t) => {
  const error = new ConnectionLostError();
  t.is(channelFailure(error, 'Queue "q"'), error);
});

const url = 'amqp://app:s3cret@broker:5672/shop';

const refusals: ReadonlyArray<readonly [what: string, error: Error, reason: string]> = [
  [
    'a wrong password',
    new Error(
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."',
    ),
    'ACCESS_REFUSED',
  ],
  ['an unknown virtual host', new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'), 'virtual host'],
  [
    'a certificate of an unknown authority',
    Object.assign(new Error('unable to verify the first certificate'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
    'TLS',
  ],
  ['an expired certificate', Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' }), 'TLS'],
];

for (const [what, error, reason] of refusals) {
  test(`${what} is not tried again`, (t) => {
    const refused = refusal(error, url);
    t.is(refused?.code, 'ERR_BROKER_REFUSED');
    t.is(refused?.cause, error);
    t.true(refused?.message.includes(reason) && refused.message.includes('app:***@broker'), refused?.message);
    t.false(refused?.message.includes('s3cret'));
  });
}

for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND']) {
  test(`${code} is tried again`, (t) => {
    t.is(refusal(Object.assign(new Error(`connect ${code}`), { code }), url), undefined);
  });
}
