import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

export interface MuteProxy {
  readonly port: number;
  /** Of the connections that are open now nothing more arrives, in either direction, and nothing ends them. New ones work. */
  mute(): void;
}

/** A proxy in front of a port of 127.0.0.1, which ends with the test: as a network that has forgotten connections. */
export async function muteProxy(t: ExecutionContext, port: number): Promise<MuteProxy> {
  const open = new Set<Socket>();
  const watch = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on('error', () => {}).once('close', () => open.delete(socket));
  };
  const server = createServer((client) =>
    watch(client)
      .pipe(watch(connect(port, '127.0.0.1')))
      .pipe(client),
  );
  t.teardown(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mute = (): void => {
    for (const socket of open) socket.unpipe().resume();
  };
  return { port: (server.address() as AddressInfo).port, mute };
}
