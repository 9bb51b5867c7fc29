import type { Channel, ChannelModel } from 'amqplib';
import type { Clock } from '../clock.js';
import { ConnectionLostError } from '../errors.js';
import { backoff } from '../retry.js';
import { endedWithin, withDeadline } from './deadline.js';
import { channelFailure } from './failure.js';
import type { Link } from './link.js';

export interface ChannelPlan<C extends Channel> {
  readonly link: Link;
  readonly clock: Clock;
  /** For errors: what the channel is for. */
  readonly what: string;
  /** Milliseconds for each call to the broker. */
  readonly timeout: number;
  readonly open: (model: ChannelModel) => Promise<C>;
  /** Run on each new channel, before it counts as open. */
  readonly setUp: (channel: C) => Promise<void>;
  /** The channel has gone, and all that was unsettled on it. */
  readonly lost: (error: Error | undefined) => void;
  /** It could not be opened again; another attempt follows. */
  readonly fault: (error: Error) => void;
}

/** Between attempts to open a channel on a connection that is up. */
const wait = backoff({ initial: 100, max: 10_000 });

/**
 * A channel that is opened again whenever it has closed, on its own connection and without touching the others:
 * amqp-connection-manager's wrapper would drop the whole connection, or never open it again.
 */
export class SupervisedChannel<C extends Channel> {
  readonly #plan: ChannelPlan<C>;
  #channel: C | undefined;
  #opening = false;
  /** The last attempt to open it. */
  #attempt: Promise<void> = Promise.resolve();
  readonly #retirement = new AbortController();

  constructor(plan: ChannelPlan<C>) {
    this.#plan = plan;
  }

  get channel(): C | undefined {
    return this.#channel;
  }

  /** Opens it for the first time: rejects where that fails, and is not tried again. */
  async open(): Promise<void> {
    const { link } = this.#plan;
    if (!link.model) throw new ConnectionLostError();
    await (this.#attempt = this.#openOn(link.model));
    link.on('up', this.#reopen);
  }

  /** Closes the channel, which may still be being set up, so that a new one takes its place. */
  renew(channel: C): void {
    void endedWithin(this.#plan.timeout, channel.close());
  }

  /** Lets it go on, but opens it no more. */
  retire(): void {
    this.#retirement.abort();
    this.#plan.link.off('up', this.#reopen);
  }

  /** Also a channel that is being opened: what was sent on it is with the broker when its close is answered, and no sooner. */
  async close(ms: number): Promise<void> {
    this.retire();
    await endedWithin(ms / 2, this.#attempt);
    if (this.#channel) await endedWithin(ms / 2, this.#channel.close());
  }

  readonly #reopen = (): void => {
    if (!this.#opening) void this.#keepOpening(this.#retirement.signal);
  };

  async #keepOpening(retired: AbortSignal): Promise<void> {
    this.#opening = true;
    const { link, clock, fault } = this.#plan;
    for (let attempt = 1; link.model && !this.#channel && !retired.aborted; attempt++) {
      try {
        await (this.#attempt = this.#openOn(link.model));
      } catch (error) {
        if (link.model && !retired.aborted) fault(error as Error);
        await clock.sleep(wait(attempt), retired);
      }
    }
    this.#opening = false;
  }

  async #openOn(model: ChannelModel): Promise<void> {
    const { what, timeout: ms, open, setUp } = this.#plan;
    const end: { reached: boolean; cause?: Error } = { reached: false };
    let channel: C | undefined;
    try {
      const opened = (channel = await withDeadline(open(model), { operation: `open a channel for ${what}`, ms }));
      const ended = new Promise<never>((_, reject) => {
        // Without a listener the client throws the error into its frame loop, which ends the whole connection.
        opened.on('error', (error) => (end.cause = error));
        opened.on('close', () => {
          end.reached = true;
          reject(new ConnectionLostError({ cause: end.cause }));
          this.#onClose(opened, end.cause);
        });
      });
      await Promise.race([setUp(opened), ended]);
      if (end.reached) throw new ConnectionLostError();
      this.#channel = opened;
    } catch (error) {
      // Half set up it would still be given work, if the broker answers late.
      if (channel && !end.reached) this.renew(channel);
      throw channelFailure(end.cause ?? error, what);
    }
  }

  #onClose(channel: C, error: Error | undefined): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#plan.lost(error && channelFailure(error, this.#plan.what));
    if (!this.#retirement.signal.aborted) this.#reopen();
  }
}
