import { setTimeout as sleep } from 'node:timers/promises';
import { AmqpError, replyName } from '../amqp/replies.js';
import type { Broker } from '../broker.js';
import { VirtualClock } from '../clock.js';
import { BrokerError, BrokerOptionError, NoSuchThingError, WaitTimeoutError } from '../errors.js';
import type { Queue } from '../queue/queue.js';
import type { Connection } from '../session/connection.js';
import type { ConfirmFault } from './faults.js';
import {
  connectionState,
  messageStates,
  queueState,
  type ConnectionState,
  type MessageState,
  type QueueState,
  type Snapshot,
} from './states.js';

/** How often a state that is waited for is looked at. */
const WAIT_INTERVAL = 2;

export interface QueueName {
  readonly name: string;
  readonly virtualHost: string;
}

/** A state of a queue to wait for: what is given must be equal. */
export interface QueueCondition {
  readonly ready?: number;
  readonly unacked?: number;
  readonly consumers?: number;
}

export interface ChannelFault {
  /** A connection's id; all connections if left out. */
  readonly connection?: string;
  /** A channel's number; all channels if left out. */
  readonly channel?: number;
  /** A reply code of AMQP, such as 406. */
  readonly code: number;
  readonly text?: string;
}

/** Everything a test can do to a broker. Runs on the broker's thread; arguments and results are plain objects. */
export class Commands {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Blocks publishers as a resource alarm does, until `unblock`. */
  block(reason = 'low on memory'): void {
    this.#broker.memory.force(reason);
  }

  unblock(): void {
    this.#broker.memory.force(undefined);
  }

  /** Stops reading and writing on all connections, as if the broker's process were stopped, until `unfreeze`. */
  freeze(): void {
    this.#setFrozen(true);
  }

  unfreeze(): void {
    this.#setFrozen(false);
  }

  /** What becomes of publisher confirms from now on; undefined sends them as usual. */
  setConfirms(fault: ConfirmFault | undefined): void {
    this.#broker.faults.confirms = fault;
  }

  connections(): ConnectionState[] {
    return [...this.#broker.connections].filter(({ running }) => running).map(connectionState);
  }

  /** Cuts a connection, or all, without a word. Returns how many. */
  dropConnection(id?: string): number {
    return this.#each(id, (connection) => connection.abort());
  }

  /** Closes a connection, or all, with 320 CONNECTION_FORCED. Returns how many. */
  closeConnection({ id, reason = 'closed by the operator' }: { id?: string; reason?: string } = {}): number {
    return this.#each(id, (connection) => connection.forceClose(reason));
  }

  /** Closes channels with a reply code of the caller's choice. Returns how many. */
  closeChannel({ connection: id, channel: number, code, text = 'closed by the operator' }: ChannelFault): number {
    const reply = replyName(code);
    if (reply === undefined) throw new BrokerOptionError('code', 'a reply code of AMQP 0-9-1', code);
    let closed = 0;
    this.#each(id, (connection) => {
      for (const channel of connection.channels) {
        if (number !== undefined && channel.number !== number) continue;
        channel.fail(new AmqpError(reply, text, 'channel'), { classId: 0, methodId: 0 });
        closed++;
      }
    });
    return closed;
  }

  /** Moves a virtual clock on by so many milliseconds. */
  advance(milliseconds: number): void {
    const { clock } = this.#broker;
    if (!(clock instanceof VirtualClock)) {
      throw new BrokerError(
        'ERR_BROKER_REAL_CLOCK',
        'Only a broker that was started with `virtualClock: true` can move its time.',
      );
    }
    clock.advance(milliseconds);
  }

  snapshot({ messagesPerQueue = 100 }: { messagesPerQueue?: number } = {}): Snapshot {
    const queues = [...this.#broker.virtualHosts.values()].flatMap((virtualHost) => [...virtualHost.queues.values()]);
    return {
      queues: queues.map((queue) => ({ ...this.#state(queue), messages: messageStates(queue, messagesPerQueue) })),
      connections: this.connections(),
      memory: this.#broker.memory.used,
    };
  }

  queueState(name: QueueName): QueueState {
    return this.#state(this.#queue(name));
  }

  queueMessages(name: QueueName, most: number): MessageState[] {
    return messageStates(this.#queue(name), most);
  }

  purgeQueue(name: QueueName): number {
    return this.#queue(name).purge();
  }

  deleteQueue(name: QueueName): number {
    return this.#broker.virtualHost(name.virtualHost).deleteQueue(this.#queue(name));
  }

  /** Resolves when the queue is in that state; it may come into being first. Rejects after `timeout` milliseconds. */
  async untilQueue(name: QueueName, condition: QueueCondition, timeout: number): Promise<QueueState> {
    const deadline = performance.now() + timeout;
    for (;;) {
      const queue = this.#broker.virtualHosts.get(name.virtualHost)?.queue(name.name);
      const state = queue && this.#state(queue);
      if (state !== undefined && holds(state, condition)) return state;
      if (performance.now() > deadline)
        throw new WaitTimeoutError(`Queue "${name.name}" with ${JSON.stringify(condition)}`, timeout, state);
      await sleep(WAIT_INTERVAL);
    }
  }

  #state(queue: Queue): QueueState {
    return queueState(queue, this.#broker.deadLetters.held(queue));
  }

  #queue({ name, virtualHost }: QueueName): Queue {
    const queue = this.#broker.virtualHosts.get(virtualHost)?.queue(name);
    if (queue === undefined) throw new NoSuchThingError('queue', name);
    return queue;
  }

  #each(id: string | undefined, act: (connection: Connection) => void): number {
    const chosen = [...this.#broker.connections].filter(
      (connection) => connection.running && (id === undefined || connection.id === id),
    );
    if (id !== undefined && chosen.length === 0) throw new NoSuchThingError('connection', id);
    for (const connection of chosen) act(connection);
    return chosen.length;
  }

  #setFrozen(frozen: boolean): void {
    this.#broker.faults.frozen = frozen;
    for (const connection of this.#broker.connections) connection.frozen = frozen;
  }
}

function holds(state: QueueState, condition: QueueCondition): boolean {
  return (Object.keys(condition) as Array<keyof QueueCondition>).every(
    (key) => condition[key] === undefined || state[key] === condition[key],
  );
}

/** The same commands as they are called from another thread. */
export type Control = {
  readonly [C in keyof Commands]: (...args: Parameters<Commands[C]>) => Promise<Awaited<ReturnType<Commands[C]>>>;
};
