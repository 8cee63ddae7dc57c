import { describe, expect, it } from 'vitest';
import { encodeCast } from '../../src/oslo/cast.ts';
import { decodeEnvelope } from '../../src/oslo/envelope.ts';
import { newUniqueId } from '../../src/oslo/unique-id.ts';

const HEARTBEAT = {
  method: 'heartbeat',
  args: { instance_id: 'i', sent: 1.5 },
  version: '1.0',
  context: { user: null, trove_notification: { a: 1 } },
};

describe('encodeCast', () => {
  it('makes the body of a request without a reply', () => {
    const body = encodeCast(HEARTBEAT, () => 'f'.repeat(32));
    expect(decodeEnvelope(body.toString())).toEqual({
      method: 'heartbeat',
      args: { instance_id: 'i', sent: 1.5 },
      version: '1.0',
      _unique_id: 'f'.repeat(32),
      _context_user: null,
      _context_trove_notification: { a: 1 },
    });
  });

  it('has an id of its own for each cast', () => {
    expect(newUniqueId()).toMatch(/^[0-9a-f]{32}$/);
    expect(encodeCast(HEARTBEAT).equals(encodeCast(HEARTBEAT))).toBe(false);
  });
});
