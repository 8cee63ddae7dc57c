/** A method frame of AMQP 0-9-1 as bytes (specification, section 4.2). */
export function methodFrame(
  channel: number,
  [classId, methodId]: [number, number],
  ...args: Buffer[]
): Buffer {
  const payload = Buffer.concat([short(classId), short(methodId), ...args]);
  const METHOD = 1;
  const END = 0xce;
  return Buffer.concat([
    Buffer.from([METHOD]),
    short(channel),
    long(payload.length),
    payload,
    Buffer.from([END]),
  ]);
}

export function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function shortString(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

/** Up to eight flags, the first one in the lowest bit. */
export function bits(...flags: boolean[]): Buffer {
  return Buffer.from([flags.reduce((byte, flag, at) => byte | (Number(flag) << at), 0)]);
}
