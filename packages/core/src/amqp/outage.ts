import type { WorkerEvents } from '../events.js';
import { redactUrl } from '../logger.js';
import type { Logger } from '../logger.js';
import type { Link } from './link.js';

export interface OutageParts {
  readonly links: { readonly consuming: Link; readonly publishing: Link };
  readonly events: WorkerEvents;
  readonly logger: Logger;
  readonly alarmAfter: number;
  /** Resolves when the topology is declared again. */
  readonly declared: () => Promise<void>;
}

/** Makes one story of what befalls the two connections: one outage, one count of attempts, one return. */
export class Outage {
  readonly #parts: OutageParts;
  #version = '';
  #url = '';
  #up = false;
  #attempts = 0;
  #ended = false;
  #blocked = false;

  constructor(parts: OutageParts) {
    this.#parts = parts;
    const { consuming, publishing } = parts.links;
    for (const link of [consuming, publishing]) {
      link.on('down', (error) => this.#lost(error));
      link.on('retry', (retry) => this.#retry(retry));
      link.on('up', ({ url }) => {
        this.#url = redactUrl(url);
        if (this.#version) void this.#returned();
      });
    }
    // Only a connection that publishes is ever blocked.
    publishing.on('blocked', (reason) => this.#block(reason));
    publishing.on('unblocked', () => this.#unblock());
    // The broker says it anew on the next connection, if it still is.
    publishing.on('down', () => this.#unblock());
  }

  /** The first connection is made. */
  begin(version: string): void {
    this.#version = version;
    this.#connected(false);
  }

  /** Nothing is an outage any more. */
  end(): void {
    this.#ended = true;
  }

  #block(reason: string): void {
    this.#blocked = true;
    this.#announce('blocked', { reason });
  }

  #unblock(): void {
    if (this.#blocked) this.#parts.events.emit('unblocked');
    this.#blocked = false;
  }

  #lost(error: Error | undefined): void {
    if (!this.#up || this.#ended) return;
    this.#up = false;
    this.#announce('disconnected', { ...(error && { error }) });
  }

  /** Both connections count their own attempts: an attempt of the outage is one that neither has made before. */
  #retry({ attempt, delay, error }: { attempt: number; delay: number; error: Error | undefined }): void {
    if (attempt <= this.#attempts || this.#ended) return;
    this.#attempts = attempt;
    this.#announce('reconnecting', { attempt, delay, ...(error && { error }) });
    if (attempt === this.#parts.alarmAfter) this.#announce('alarm', { attempts: attempt, ...(error && { error }) });
  }

  async #returned(): Promise<void> {
    const { links, declared } = this.#parts;
    await declared();
    if (!this.#up && !this.#ended && links.consuming.model && links.publishing.model) this.#connected(true);
  }

  #connected(reconnected: boolean): void {
    this.#up = true;
    this.#attempts = 0;
    this.#parts.events.emit('connected', { url: this.#url, version: this.#version, reconnected });
    this.#parts.logger.info({ url: this.#url, version: this.#version }, reconnected ? 'reconnected' : 'connected');
  }

  #announce(
    event: 'disconnected' | 'reconnecting' | 'alarm' | 'blocked',
    facts: Record<string, unknown> & { error?: Error },
  ): void {
    const { error, ...rest } = facts;
    this.#parts.logger.warn({ ...rest, ...(error && { err: error }) }, event);
    (this.#parts.events as NodeJS.EventEmitter).emit(event, facts);
  }
}
