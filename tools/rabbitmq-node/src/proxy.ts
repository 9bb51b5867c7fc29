import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';

/** A TCP proxy on 127.0.0.1 that breaks on demand. */
export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** `target` with its host and port replaced by the proxy's. */
  url(target: string): string;
  /** Resets (RST) every connection, on both sides. New ones work. */
  cut(): void;
  /** Lets nothing through in either direction and keeps every connection open, new ones too. */
  stall(): void;
  /** Ends `stall`: what was held back arrives. */
  resume(): void;
  /** While on, new connections are accepted and never answered. Those stay dead when it is off again. */
  blackhole(on: boolean): void;
  /** While on, nothing listens: new connections are refused. Open ones live on. */
  refuse(on: boolean): Promise<void>;
  /** Milliseconds that every byte takes in each direction, from now on. Default 0. */
  delay(ms: number): void;
  /** Stops listening and resets every connection. */
  close(): Promise<void>;
}

/** Bytes that one direction of a connection holds back before the sender's writes have to wait. */
const HELD_BACK = 1 << 20;

export async function startProxy(target: { port: number; host?: string }): Promise<FaultyProxy> {
  const proxy = new TcpProxy(await freePort(), target);
  await proxy.refuse(false);
  return proxy;
}

class TcpProxy implements FaultyProxy {
  readonly port: number;
  readonly #target: { port: number; host?: string };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #blackhole = false;
  #delay = 0;
  #open: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};

  constructor(port: number, target: { port: number; host?: string }) {
    this.port = port;
    this.#target = target;
  }

  url(target: string): string {
    const url = new URL(target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  stall(): void {
    this.#resume();
    this.#open = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume();
  }

  blackhole(on: boolean): void {
    this.#blackhole = on;
  }

  async refuse(on: boolean): Promise<void> {
    if (on === (this.#server === undefined)) return;
    if (on) {
      this.#server?.close();
      this.#server = undefined;
      return;
    }
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  delay(ms: number): void {
    this.#delay = ms;
  }

  async close(): Promise<void> {
    await this.refuse(true);
    this.cut();
    // A reset waits for a connection that is being made: destroyed, it does not.
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    this.#watch(client);
    if (this.#blackhole) return;
    const { port, host = '127.0.0.1' } = this.#target;
    const upstream = this.#watch(connect({ port, host, allowHalfOpen: true, noDelay: true }));
    this.#flow(client, upstream);
    this.#flow(upstream, client);
  }

  #watch(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // 'close' follows, and says that there was one
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  // One direction: bytes, an end or a reset arrive in the order in which they came, each after its delay, and not while stalled.
  #flow(from: Socket, to: Socket): void {
    let held = 0;
    let turn: Promise<unknown> = Promise.resolve();
    const inTurn = (step: () => unknown): Promise<unknown> => {
      const arrival = this.#delay > 0 ? sleep(this.#delay) : undefined;
      turn = turn
        .then(() => arrival)
        .then(() => this.#open)
        .then(step);
      return turn;
    };
    from.on('data', (chunk: Buffer) => {
      held += chunk.length;
      if (held >= HELD_BACK) from.pause();
      void inTurn(() => written(to, chunk)).then(() => {
        held -= chunk.length;
        from.resume();
      });
    });
    from.once('end', () => void inTurn(() => to.end()));
    from.once('close', (failed: boolean) => void inTurn(() => (failed ? reset(to) : to.end())));
  }
}

/** A socket that has sent its end cannot be reset: libuv refuses, and the thread that owns it would never come to its end. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function written(to: Socket, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    to.write(chunk, () => resolve());
  });
}
