import test from 'ava';
import * as fc from 'fast-check';
import { BODY_FRAME, FrameParser, METHOD_FRAME } from '../../src/amqp/frame-parser.js';
import { FrameWriter } from '../../src/amqp/frame-writer.js';
import { AmqpError } from '../../src/amqp/replies.js';

/** What a parser finds in chunks, with the parts of a body put together. */
function parse(chunks: readonly Buffer[], frameMax = 4096): Array<{ type: number; channel: number; payload: string }> {
  const parser = new FrameParser(frameMax);
  const frames: Array<{ type: number; channel: number; payload: string }> = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
      const { type, channel, buffer, start, end } = frame;
      const payload = buffer.toString('latin1', start, end);
      const last = frames.at(-1);
      if (type === BODY_FRAME && last?.type === BODY_FRAME) last.payload += payload;
      else frames.push({ type, channel, payload });
    }
  }
  return frames;
}

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(from, from + size));
    from += size;
  }
  return [...chunks, stream.subarray(from)];
}

test('However a stream is cut into chunks, the frames are the same.', (t) => {
  const writer = new FrameWriter();
  writer.frameMax = 4096;
  writer.method(1, 'basic.publish', { exchange: 'x', routingKey: 'k', mandatory: false, immediate: false });
  writer.content(1, { content: Buffer.concat([Buffer.from([0, 0]), Buffer.alloc(10_000, 'b')]), bodyStart: 2 });
  writer.heartbeat();
  writer.method(7, 'channel.close-ok', {});
  const stream = Buffer.concat(writer.take());
  const whole = parse([stream]);
  t.deepEqual(
    whole.map(({ type }) => type),
    [1, 2, 3, 8, 1],
  );
  t.is(whole[2]?.payload, 'b'.repeat(10_000));
  fc.assert(fc.property(fc.array(fc.nat(3000)), (sizes) => void t.deepEqual(parse(cut(stream, sizes)), whole)));
});

test('A frame larger than agreed is refused before it has come.', (t) => {
  const head = Buffer.from([METHOD_FRAME, 0, 1, 0, 1, 0, 0]);
  t.throws(() => parse([head]), { instanceOf: AmqpError, message: /frame_too_large,65536,4088/ });
});

test('A frame must end with its end marker.', (t) => {
  t.throws(() => parse([Buffer.from([METHOD_FRAME, 0, 1, 0, 0, 0, 0, 0xaa])]), {
    instanceOf: AmqpError,
    message: /invalid_frame_end_marker,170/,
  });
  t.throws(() => parse([Buffer.from([BODY_FRAME, 0, 1, 0, 0, 0, 1, 0, 0xaa])]), {
    instanceOf: AmqpError,
    message: /invalid_frame_end_marker,170/,
  });
});

test('A frame of an unknown type is refused.', (t) => {
  t.throws(() => parse([Buffer.from([9, 0, 1, 0, 0, 0, 0, 0xce])]), { instanceOf: AmqpError, message: /unknown_frame/ });
});
