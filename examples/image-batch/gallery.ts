// Where the pictures come from: `/7.pgm` is number 7, each of one grey.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encode } from './image.js';

export interface Gallery extends AsyncDisposable {
  /** The addresses of its first pictures. */
  urls(count: number): string[];
}

const SIZE = { width: 64, height: 32 };

/** On 127.0.0.1. */
export async function openGallery(): Promise<Gallery> {
  const server = createServer(({ url = '' }, response) => {
    const grey = Number(/^\/(\d+)\.pgm$/.exec(url)?.[1]);
    if (Number.isNaN(grey)) response.writeHead(404).end();
    else response.end(encode({ ...SIZE, pixels: new Uint8Array(SIZE.width * SIZE.height).fill(grey) }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    urls: (count) => Array.from({ length: count }, (_, index) => `http://127.0.0.1:${port}/${index}.pgm`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
