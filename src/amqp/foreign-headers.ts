import type { ChannelModel } from 'amqplib';

/** What amqplib reads frames by. Held to what it is by a test that sends what it cannot decode. */
interface FrameReader {
  /** What has come and is not read yet. */
  rest: Buffer;
  /** Reads one frame off `rest`, with more from the socket if need be; false until a frame is whole. */
  recvFrame: () => unknown;
}

/** Type, channel and size of a frame; then its payload (AMQP 0-9-1, 4.2.3). */
const FRAME_HEAD = 7;
const HEADER_FRAME = 2;

/**
 * Has a connection take a message whose properties amqplib cannot decode as one without any. Whoever can publish
 * to a queue writes them: tables in one another exhaust the stack, and a type that amqplib does not know is an
 * error. amqplib would close the connection for either, and the broker would deliver the message again on the next
 * one, without end.
 */
export function bearForeignHeaders(model: ChannelModel): void {
  const { connection: reader } = model as unknown as { connection: FrameReader };
  const recvFrame = reader.recvFrame.bind(reader);
  // It calls itself when it has read from the socket, so that `unread` is what the failing frame was taken off.
  reader.recvFrame = () => {
    const { rest: unread } = reader;
    try {
      return recvFrame();
    } catch (error) {
      const isTakenOff = isWhole(unread) && reader.rest !== unread;
      if (isTakenOff && unread[0] === HEADER_FRAME) return withoutProperties(unread);
      throw error;
    }
  };
}

function isWhole(frame: Buffer): boolean {
  return frame.length >= FRAME_HEAD && frame.length > FRAME_HEAD + frame.readUInt32BE(3);
}

/** A header frame as amqplib gives it: its class, a weight, the size of the body, and no properties. */
function withoutProperties(frame: Buffer): unknown {
  return {
    id: frame.readUInt16BE(FRAME_HEAD),
    channel: frame.readUInt16BE(1),
    size: Number(frame.readBigUInt64BE(FRAME_HEAD + 4)),
    fields: {},
  };
}
