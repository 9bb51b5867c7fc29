import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broker } from '../broker.js';
import { answer, type Answer } from './routes.js';

const PREFIX = '/api/';

/** The HTTP API, on loopback only. */
export class ManagementServer {
  readonly #server: Server;

  constructor(broker: Broker) {
    this.#server = createServer((request, response) => {
      const { status, body } = respond(broker, request);
      const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="Warren"' } : {};
      response.writeHead(status, { 'content-type': 'application/json', ...challenge });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function respond(broker: Broker, request: IncomingMessage): Answer {
  if (!isAuthorized(broker, request)) return { status: 401, body: { error: 'not_authorized', reason: 'Login failed' } };
  const [path = ''] = (request.url ?? '').split('?');
  if (!path.startsWith(PREFIX)) return { status: 404, body: { error: 'Object Not Found', reason: 'Not Found' } };
  try {
    return answer(broker, request.method ?? 'GET', path.slice(PREFIX.length));
  } catch (error) {
    if (error instanceof URIError) return { status: 400, body: { error: 'bad_request', reason: error.message } };
    throw error;
  }
}

function isAuthorized(broker: Broker, { headers }: IncomingMessage): boolean {
  const [scheme, encoded = ''] = (headers.authorization ?? '').split(' ');
  const [user = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':');
  return scheme === 'Basic' && broker.authenticates(user, password.join(':'));
}
