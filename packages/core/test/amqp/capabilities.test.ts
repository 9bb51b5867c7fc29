import test from 'ava';
import { capabilitiesOf } from '../../src/amqp/capabilities.js';

const MIB = 2 ** 20;

const old = {
  channelPrefetch: true,
  requeueCounts: true,
  trustsClientDeaths: true,
  quorumPriorities: false,
  consumerTimeout: { classic: 'channel', quorum: 'channel' },
  maxMessageBytes: 128 * MIB,
};
const four = { ...old, trustsClientDeaths: false, quorumPriorities: true, maxMessageBytes: 16 * MIB };
const fourThree = {
  ...four,
  channelPrefetch: false,
  requeueCounts: false,
  consumerTimeout: { classic: 'none', quorum: 'cancel' },
};

const table = [
  ['3.10.8', old],
  ['3.13.7', old],
  ['4.0.5', four],
  ['4.1', four],
  ['4.2.9', four],
  ['4.3.0', fourThree],
  ['4.3.0-rc.1', fourThree],
  ['4.3.6', fourThree],
  ['4.10.0', fourThree],
  ['5.0', fourThree],
] as const;

for (const [version, expected] of table) {
  test(`RabbitMQ ${version} is known by its version`, (t) => {
    t.deepEqual(capabilitiesOf({ product: 'RabbitMQ', version }) as unknown, { version: `RabbitMQ ${version}`, ...expected });
  });
}

for (const version of ['3.9', '3.9.29', '2.8.4', 'unknown']) {
  test(`RabbitMQ ${version} is refused`, (t) => {
    const error = t.throws(() => capabilitiesOf({ product: 'RabbitMQ', version }), { code: 'ERR_UNSUPPORTED_BY_BROKER' });
    t.true(error.message.includes(`RabbitMQ ${version}`) && error.message.includes('3.10'), error.message);
  });
}

test('another product is taken for the oldest RabbitMQ, whatever its version', (t) => {
  t.deepEqual(capabilitiesOf({ product: 'LavinMQ', version: '2.1.0' }) as unknown, { version: 'LavinMQ 2.1.0', ...old });
  t.deepEqual(capabilitiesOf({ product: 'Warren', version: '0.1.0' }) as unknown, { version: 'Warren 0.1.0', ...old });
});

test('the embedded broker says which series it behaves like', (t) => {
  for (const [compat, expected] of Object.entries({ '3.x': old, '4.x': { ...fourThree, quorumPriorities: false } })) {
    const known: unknown = capabilitiesOf({ product: 'Warren', version: '0.1.0', compat });
    t.deepEqual(known, { version: 'Warren 0.1.0', ...expected });
  }
});
