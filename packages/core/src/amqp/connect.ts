import { credentials } from 'amqplib';
import type { SocketOptions } from 'amqplib';

/** The options of the socket: TLS's (`ca`, `cert`, `key`, `servername` …), `keepAlive`, `timeout` of the handshake, `clientProperties`, `credentials`. */
export type Connect = SocketOptions;

/** Credentials for EXTERNAL authentication: the broker takes the user from the client's TLS certificate. */
export function external(): NonNullable<SocketOptions['credentials']> {
  return credentials.external();
}
