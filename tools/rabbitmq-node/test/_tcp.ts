import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A connection to 127.0.0.1 that ends with the test. Rejects as `connect` fails. */
export async function dial(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {}); // whoever waits for the socket is told; a late reset is nobody's
  await once(socket, 'connect');
  return socket;
}

/** The next bytes that arrive, as text. */
export async function received(socket: Socket): Promise<string> {
  const [chunk]: unknown[] = await once(socket, 'data');
  return String(chunk);
}
