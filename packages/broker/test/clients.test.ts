import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { TlsOptions } from '../src/index.js';
import { broker } from './_broker.js';

const run = promisify(execFile);

/** A certificate of the test's own for 127.0.0.1. */
async function certificate(t: ExecutionContext): Promise<TlsOptions & { readonly certPath: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'broker-tls-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const [keyPath, certPath] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-keyout',
    keyPath,
    '-out',
    certPath,
    ...subject,
  ]);
  return { key: await readFile(keyPath, 'utf8'), cert: await readFile(certPath, 'utf8'), certPath };
}

for (const clientName of ['amqplib', 'rabbitmq-client']) {
  for (const protocol of ['TCP', 'TLS']) {
    test(`${clientName} in another process publishes, consumes, and is told of what went wrong, over ${protocol}.`, async (t) => {
      const { certPath, ...tls } = await certificate(t);
      const { url, tlsUrl, queue } = await broker(t, { tls });
      const script = fileURLToPath(new URL(`./clients/${clientName}.js`, import.meta.url));
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: certPath };
      const { stdout } = await run(process.execPath, [script, protocol === 'TLS' ? (tlsUrl ?? '') : url], { env });
      t.deepEqual(JSON.parse(stdout), {
        received: ['1 first', '2 second', '3 第3条消息'],
        redelivered: true,
        dead: 'rejected',
        returned: 312,
        refused: 406,
      });
      // The broker hears of the process's end a moment later.
      while ((await queue('work').state()).consumers > 0) await sleep(10);
      t.like(await queue('work').state(), { ready: 0, unacked: 0 });
    });
  }
}
