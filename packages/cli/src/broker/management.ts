// RabbitMQ's management API: what AMQP itself does not tell, above all how many messages are unacknowledged.
import { redactUrl } from '@warren/core';
import { ManagementError } from '../errors.js';

/** The fields that are read; rabbitmq.com/docs/management and its HTTP API reference. */
export interface ManagedQueue {
  readonly name: string;
  readonly type?: string;
  readonly messages_ready?: number;
  readonly messages_unacknowledged?: number;
  readonly consumers?: number;
  readonly arguments?: Record<string, unknown>;
  readonly durable?: boolean;
  readonly policy?: string | null;
  /** What the policy and the operator policy together say. */
  readonly effective_policy_definition?: Record<string, unknown> | null;
  readonly state?: string;
}

export interface ManagedExchange {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly internal: boolean;
}

export interface ManagedBinding {
  readonly source: string;
  readonly destination: string;
  readonly destination_type: string;
  readonly routing_key: string;
}

export interface ManagedConsumer {
  readonly consumer_tag: string;
  readonly prefetch_count: number;
  readonly ack_required: boolean;
  readonly queue: { readonly name: string };
  readonly channel_details: { readonly connection_name?: string };
}

/** Milliseconds. */
const TIMEOUT = 3_000;

export class Management {
  /** Without the password. */
  readonly address: string;
  readonly #base: string;
  readonly #authorization: string;
  readonly #vhost: string;

  private constructor(url: URL, vhost: string) {
    this.address = redactUrl(url.href).replace(/\/$/, '');
    this.#authorization = `Basic ${btoa(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)}`;
    this.#base = `${url.origin}${url.pathname.replace(/\/$/, '')}/api`;
    this.#vhost = encodeURIComponent(vhost);
  }

  /**
   * The API at `given`, which has to answer; else at port 15672 of a broker on this machine, or undefined where it does not. The
   * broker's password goes out over plain HTTP, so other machines have to be named.
   */
  static async find(given: string | undefined, brokerUrl: string): Promise<Management | undefined> {
    const broker = new URL(brokerUrl);
    if (given === undefined && !isLoopback(broker.hostname)) return undefined;
    const url = new URL(given ?? `http://${broker.hostname}:15672`);
    if (url.username === '') [url.username, url.password] = [broker.username || 'guest', broker.password || 'guest'];
    const management = new Management(url, vhostOf(broker));
    try {
      await management.#get('overview?columns=rabbitmq_version');
      return management;
    } catch (error) {
      if (given === undefined) return undefined;
      throw error;
    }
  }

  queues(): Promise<ManagedQueue[]> {
    return this.#get(`queues/${this.#vhost}`);
  }

  queue(name: string): Promise<ManagedQueue> {
    return this.#get(`queues/${this.#vhost}/${encodeURIComponent(name)}`);
  }

  queueBindings(name: string): Promise<ManagedBinding[]> {
    return this.#get(`queues/${this.#vhost}/${encodeURIComponent(name)}/bindings`);
  }

  exchanges(): Promise<ManagedExchange[]> {
    return this.#get(`exchanges/${this.#vhost}`);
  }

  consumers(): Promise<ManagedConsumer[]> {
    return this.#get(`consumers/${this.#vhost}`);
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#base}/${path}`, {
      headers: { authorization: this.#authorization },
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: 'error',
    }).catch((cause: unknown) => {
      throw new ManagementError({ url: this.address, reason: reasonOf(cause), cause });
    });
    if (!response.ok)
      throw new ManagementError({ url: this.address, reason: `it answered ${response.status} ${response.statusText}` });
    return (await response.json().catch((cause: unknown) => {
      throw new ManagementError({ url: this.address, reason: 'its answer is no JSON', cause });
    })) as T;
  }
}

/** fetch hides the reason in its error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || message : message;
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** `amqp://host` is the virtual host `/`, `amqp://host/a` is `a`: rabbitmq.com/docs/uri-spec. */
function vhostOf({ pathname }: URL): string {
  return pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : '/';
}
