import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { AddressInUseError, BrokerError, BrokerOptionError } from './errors.js';
import type { TlsOptions } from './options.js';

const LOOPBACK = ['127.0.0.1', '::1'] as const;

type Accept = (socket: Socket) => void;

/** Open ports, for as long as the broker lives. */
export class Listeners {
  readonly #servers: Server[] = [];
  readonly #accept: Accept;

  constructor(accept: Accept) {
    this.#accept = (socket) => {
      socket.setNoDelay(true);
      accept(socket);
    };
  }

  /** Listens without TLS and returns the port. */
  listen(host: string, port: number): Promise<number> {
    return this.#listen(() => createServer(this.#accept), host, port);
  }

  async listenTls(host: string, { port = 0, key, cert }: TlsOptions): Promise<number> {
    // Loaded only when asked for, as it takes a while.
    const { createSecureContext, createServer: createTlsServer } = await import('node:tls');
    try {
      createSecureContext({ key, cert });
    } catch (error) {
      throw new BrokerOptionError(
        'tls',
        'a key and its certificate, both in PEM',
        error instanceof Error ? error.message : error,
      );
    }
    // What goes wrong in a client's handshake ends its connection.
    return this.#listen(() => createTlsServer({ key, cert }, this.#accept).on('tlsClientError', () => {}), host, port);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** `localhost` is both loopback addresses, as clients try both; where there is no IPv6, it is one. */
  async #listen(make: () => Server, host: string, port: number): Promise<number> {
    const [first, second] = host === 'localhost' ? LOOPBACK : [host];
    const chosen = await this.#open(make(), first, port);
    if (second !== undefined) await this.#open(make(), second, chosen).catch(() => chosen);
    return chosen;
  }

  #open(server: Server, host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new AddressInUseError(host, port, error)
            : new BrokerError('ERR_BROKER_LISTEN', `Cannot listen on ${host}:${port}: ${error.message}`, { cause: error }),
        );
      });
      server.listen(port, host, () => {
        this.#servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }
}
