import { describe, expect, it } from 'vitest';
import { UnreadableRequestError } from '../../src/trove/guest-serializer.ts';
import { UnreadableRequests } from '../../src/trove/unreadable-requests.ts';
import pino from 'pino';
import { ManualClock } from '../base/manual-clock.ts';

/** What is logged, with its counts. */
function watched() {
  const lines: { refused: number; inAll: number; msg: string }[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as (typeof lines)[number]);
  };
  const clock = new ManualClock();
  const requests = new UnreadableRequests(clock, pino({}, { write }));
  const counts = (): number[][] => lines.map(({ refused, inAll }) => [refused, inAll]);
  return { clock, requests, lines, counts };
}

const error = new UnreadableRequestError('the request context', 'foreign');

describe('requests that cannot be decrypted', () => {
  it('are told of at once, with what to compare', () => {
    const { requests, lines } = watched();
    requests.note(error);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toBe(
      'requests are refused: the request context is not encrypted with the key of this instance: compare instance_rpc_encr_key in guest_info.conf with the key ' +
        'Trove holds for it (encrypted_key in its table instances, opened with ' +
        'inst_rpc_key_encr_key of the controller)',
    );
  });

  it('are told of once a minute while they come, and all are counted', async () => {
    const { requests, clock, counts } = watched();
    for (let n = 0; n < 1000; n++) requests.note(error);
    expect(counts()).toEqual([[1, 1]]);
    await clock.advance(59_999);
    expect(counts()).toHaveLength(1);
    await clock.advance(1);
    expect(counts().slice(1)).toEqual([[999, 1000]]);
    requests.note(error);
    await clock.advance(60_000);
    expect(counts().slice(2)).toEqual([[1, 1001]]);
  });

  it('are told of at once again after a quiet minute', async () => {
    const { requests, clock, counts } = watched();
    requests.note(error);
    await clock.advance(120_000);
    requests.note(error);
    expect(counts()).toEqual([
      [1, 1],
      [1, 2],
    ]);
  });
});
