// A mail provider as they are, behind HTTP: busy at times, broken at times, and strict.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Email } from './email-retries.js';

export interface ProviderOptions {
  /** On 127.0.0.1. Default: a free one. */
  port?: number;
  /** A domain that it takes no mail for. */
  refused?: string | undefined;
  print?: (line: string) => unknown;
}

export class Provider implements AsyncDisposable {
  readonly url: string;
  /** What has gone out. */
  readonly sent: Email[] = [];
  /** How often it answered with each status; 0 is a mail that it sent and whose answer got lost. */
  readonly answers: Map<number, number> = new Map();
  refused: string | undefined;
  readonly #server: Server;
  readonly #print: (line: string) => unknown;
  /** Mails by their idempotency keys. */
  readonly #ids = new Map<string, string>();
  #requests = 0;

  constructor(server: Server, { refused, print = () => {} }: ProviderOptions) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.refused = refused;
    this.#server = server;
    this.#print = print;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const email = (await json(request)) as Email;
    const { status, body } = this.#handle(String(request.headers['idempotency-key']), email);
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    this.#print(`${status || 'connection lost'} ${email.template} to ${email.to}: ${body}`);
    if (status === 0) response.destroy();
    else response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end(body);
  }

  #handle(key: string, email: Email): { status: number; body: string } {
    if (this.refused !== undefined && email.to.endsWith(`@${this.refused}`)) return { status: 422, body: 'domain not verified' };
    this.#requests++;
    if (this.#requests % 5 === 0) return { status: 429, body: 'too many requests' };
    if (this.#requests % 3 === 0) return { status: 503, body: 'try again later' };
    const isNew = !this.#ids.has(key);
    const body = JSON.stringify({ mail: this.#send(key, email) });
    return { status: isNew && this.sent.length % 4 === 0 ? 0 : 200, body };
  }

  /** A mail that it has sent already is not sent again. */
  #send(key: string, email: Email): string {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.sent.push(email);
    const id = randomUUID();
    this.#ids.set(key, id);
    return id;
  }
}

/** Every fifth request is one too many, every third one of the others fails, and the answer to every fourth new mail gets lost. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const server = createServer().listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return new Provider(server, options);
}
