/** A broker in which all names of queues and exchanges are free. */
export interface TestBroker {
  readonly url: string;
  /** With user and password. */
  readonly managementUrl: string;
  /** Ready and unacknowledged messages of a queue, as the broker counts them at this moment. */
  counts(queue: string): Promise<{ ready: number; unacked: number }>;
  /** The names of all queues. */
  queues(): Promise<string[]>;
}

/** A broker that a test may break. It keeps what is durable. */
export interface BreakableBroker extends TestBroker {
  readonly port: number;
  /** How many connections it has. */
  connections(): Promise<number>;
  /** Closes every connection with 320 CONNECTION_FORCED. */
  closeConnections(): Promise<void>;
  /** Clean stop. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts again, on the same port, after `stop` or `kill`. */
  start(): Promise<void>;
}
