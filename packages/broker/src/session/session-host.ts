import type { Faults } from '../control/faults.js';
import type { Message } from '../queue/message.js';
import type { Surroundings } from '../surroundings.js';
import type { VirtualHost } from '../virtual-host.js';
import type { Connection } from './connection.js';

/** Who waits for replies under a direct reply-to address. */
export interface ReplyReceiver {
  receiveReply(message: Message): void;
}

export interface Limits {
  /** Octets of one message's body. */
  readonly maxMessageSize: number;
  readonly maxQueues: number;
  readonly maxExchanges: number;
  readonly maxBindings: number;
}

/** The broker as connections see it. */
export interface SessionHost extends Surroundings {
  readonly faults: Faults;
  readonly limits: Limits;
  /** Receivers of direct replies by the token in their address. */
  readonly replyReceivers: Map<string, ReplyReceiver>;
  virtualHost(name: string): VirtualHost;
  nextQueueId(): number;
  ended(connection: Connection): void;
}
