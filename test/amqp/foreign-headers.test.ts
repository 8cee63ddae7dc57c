import type { ChannelModel } from 'amqplib';
import { expect, it } from 'vitest';
import { bearForeignHeaders } from '../../src/amqp/foreign-headers.ts';

const HEADER = 2;
const METHOD = 1;

/** A frame of this type on channel 3, of class 60, whose message has 7 bytes. */
function frame(type: number): Buffer {
  const payload = Buffer.alloc(14);
  payload.writeUInt16BE(60, 0);
  payload.writeBigUInt64BE(7n, 4);
  const head = Buffer.from([type, 0, 3, 0, 0, 0, payload.length]);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

const BROKEN = new RangeError('Maximum call stack size exceeded');

/** A connection of amqplib that has these bytes, takes the first frame off them, and then does this. */
function reading(bytes: Buffer, then: () => unknown) {
  const reader = {
    rest: bytes,
    recvFrame(): unknown {
      reader.rest = bytes.subarray(frame(HEADER).length);
      return then();
    },
  };
  bearForeignHeaders({ connection: reader } as unknown as ChannelModel);
  return reader;
}

const fails = (): never => {
  throw BROKEN;
};

it('gives what amqplib gives', () => {
  const known = { id: 1 };
  expect(reading(frame(METHOD), () => known).recvFrame()).toBe(known);
});

it('takes properties that cannot be decoded for none, and goes on behind the frame', () => {
  const next = Buffer.from('next');
  const reader = reading(Buffer.concat([frame(HEADER), next]), fails);
  expect(reader.recvFrame()).toEqual({ id: 60, channel: 3, size: 7, fields: {} });
  expect(reader.rest).toEqual(next);
});

it('leaves other frames that cannot be decoded to amqplib', () => {
  expect(() => reading(frame(METHOD), fails).recvFrame()).toThrow(BROKEN);
});

it('leaves a frame alone of which amqplib has taken nothing off', () => {
  const bytes = frame(HEADER);
  const reader = { rest: bytes, recvFrame: fails };
  bearForeignHeaders({ connection: reader } as unknown as ChannelModel);
  expect(() => reader.recvFrame()).toThrow(BROKEN);
});

it.each([0, 3, 10])('leaves half a frame alone: %d bytes of it', (length) => {
  expect(() => reading(frame(HEADER).subarray(0, length), fails).recvFrame()).toThrow(BROKEN);
});
