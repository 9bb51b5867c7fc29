import { isUtf8 } from 'node:buffer';
import { InvalidOptionError } from './errors.js';

/** Turns payloads into bodies and back. `decode` throws what is wrong with a body; core bounds its size before. */
export interface Codec {
  /** Put into messages that are published; foreign messages may carry others, or none. */
  readonly contentType: string;
  /** What `encode` takes, for error messages. */
  readonly expects: string;
  /** Whether a body that says it is `contentType` can be decoded. */
  accepts(contentType: string): boolean;
  encode(payload: unknown): Buffer;
  decode(content: Buffer): unknown;
}

const json: Codec = {
  contentType: 'application/json',
  expects: 'a value that JSON can express',
  // Producers in other languages often send JSON as plain text, or as the generic octet-stream.
  accepts: (type) => /^(?:application\/(?:.*\+)?json|text\/plain|application\/octet-stream)$/.test(type),
  encode(payload) {
    const text = JSON.stringify(payload) as string | undefined;
    if (text === undefined) throw new TypeError('it has no JSON form');
    return Buffer.from(text);
  },
  decode: (content) => JSON.parse(utf8(content)) as unknown,
};

const text: Codec = {
  contentType: 'text/plain',
  expects: 'a string',
  accepts: () => true,
  encode(payload) {
    if (typeof payload !== 'string') throw new TypeError('it is not a string');
    return Buffer.from(payload);
  },
  decode: utf8,
};

const bytes: Codec = {
  contentType: 'application/octet-stream',
  expects: 'a Buffer or Uint8Array',
  accepts: () => true,
  encode(payload) {
    if (!(payload instanceof Uint8Array)) throw new TypeError('it is not a Uint8Array');
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  },
  decode: (content) => content,
};

/** Strict: a body that is not UTF-8 is refused, where `toString` alone would put replacement characters. A byte order mark is content. */
function utf8(content: Buffer): string {
  if (!isUtf8(content)) throw new TypeError('it is not valid UTF-8');
  return content.toString();
}

/** The codecs that jobs can name: `json`, `text`, `bytes`, and what a plugin or a user registers. */
export class CodecRegistry {
  readonly #codecs = new Map<string, Codec>(Object.entries({ json, text, bytes }));

  register(name: string, codec: Codec): void {
    this.#codecs.set(name, codec);
  }

  get(name: string): Codec {
    const codec = this.#codecs.get(name);
    if (!codec)
      throw new InvalidOptionError({ option: 'codec', expected: `one of ${[...this.#codecs.keys()].join(', ')}`, got: name });
    return codec;
  }
}
