import test from 'ava';
import type { ExecutionContext } from 'ava';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorker, defineJob, external } from '@warren/core';
import type { WorkerOptions } from '@warren/core';
import { freePort, startRabbit, withOwnRabbit } from '@warren/rabbitmq-node';
import type { RabbitNode } from '@warren/rabbitmq-node';
import { generate } from 'selfsigned';

const job = defineJob<string>('over tls', { queue: { name: 'over-tls', type: 'classic', deadLetter: false } });

interface TlsBroker {
  readonly node: RabbitNode;
  readonly url: string;
  /** The authority's certificate, and a client's that it has signed. */
  readonly ca: string;
  readonly client: { readonly cert: string; readonly key: string };
}

async function authority(): Promise<{
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}> {
  const root = await generate([{ name: 'commonName', value: 'Test Authority' }], {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  const issue = async (name: string): Promise<{ cert: string; key: string }> => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      ca: { key: root.private, cert: root.cert },
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    return { cert, key };
  };
  return { ca: root.cert, server: await issue('localhost'), client: await issue('warren') };
}

/** A node that asks for clients' certificates, and logs in by their common name. */
async function tlsBroker(t: ExecutionContext): Promise<TlsBroker> {
  const { ca, server, client } = await authority();
  const folder = await mkdtemp(join(tmpdir(), 'warren-tls-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = { cacertfile: ca, certfile: server.cert, keyfile: server.key };
  for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem);
  const port = await freePort();
  const node = await startRabbit({
    plugins: ['rabbitmq_auth_mechanism_ssl'],
    config: {
      'listeners.ssl.default': `127.0.0.1:${port}`,
      ...Object.fromEntries(Object.keys(files).map((name) => [`ssl_options.${name}`, join(folder, name)])),
      'ssl_options.verify': 'verify_peer',
      'ssl_options.fail_if_no_peer_cert': 'false',
      'auth_mechanisms.1': 'EXTERNAL',
      'auth_mechanisms.2': 'PLAIN',
      ssl_cert_login_from: 'common_name',
    },
  });
  t.teardown(() => node[Symbol.asyncDispose]());
  return { node, url: `amqps://localhost:${port}`, ca, client };
}

/** Publishes as `userId`, which the broker takes only from a connection that has logged in by that name, and consumes. */
async function roundTrip(options: WorkerOptions, userId: string): Promise<string> {
  await using worker = createWorker(options);
  const received = new Promise<string>((resolve) => worker.handle(job, ({ payload }) => resolve(payload)));
  await worker.start();
  await worker.send({ exchange: '', routingKey: job.queue.name, content: '"hello"', properties: { userId } });
  return received;
}

withOwnRabbit(test)(
  'a worker speaks TLS, authenticates by certificate, and says when a certificate is not accepted',
  async (t) => {
    const { node, url, ca, client } = await tlsBroker(t);
    t.is(await roundTrip({ url, connect: { ca } }, 'guest'), 'hello');

    const refused = createWorker({ url });
    const error = await t.throwsAsync(refused.start(), { code: 'ERR_BROKER_REFUSED' });
    t.regex(error?.message ?? '', /TLS failed/);

    await node.ctl('add_user', 'warren', 'not-used');
    await node.ctl('set_permissions', 'warren', '.*', '.*', '.*');
    t.is(await roundTrip({ url, connect: { ca, ...client, credentials: external() } }, 'warren'), 'hello');
  },
);
