import type { TestBroker } from './test-broker.js';

/** An embedded broker, by its management API: its numbers are those of the moment. */
export class Embedded implements TestBroker {
  readonly url: string;
  readonly managementUrl: string;
  readonly #api: string;

  constructor({ port, managementPort }: { port: number; managementPort: number }) {
    this.url = `amqp://guest:guest@127.0.0.1:${port}`;
    this.managementUrl = `http://guest:guest@127.0.0.1:${managementPort}`;
    this.#api = `http://127.0.0.1:${managementPort}/api`;
  }

  async counts(queue: string): Promise<{ ready: number; unacked: number }> {
    const path = `queues/%2F/${encodeURIComponent(queue)}`;
    const state = await this.get<{ messages_ready: number; messages_unacknowledged: number }>(path);
    return { ready: state.messages_ready, unacked: state.messages_unacknowledged };
  }

  queues(): Promise<string[]> {
    return this.names('queues/%2F');
  }

  protected async names(path: string): Promise<string[]> {
    return (await this.get<Array<{ name: string }>>(path)).map(({ name }) => name);
  }

  protected async get<T>(path: string): Promise<T> {
    return (await (await this.call('GET', path)).json()) as T;
  }

  protected async call(method: string, path: string): Promise<Response> {
    const response = await fetch(`${this.#api}/${path}`, { method, headers: { authorization: `Basic ${btoa('guest:guest')}` } });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}.`);
    return response;
  }
}
