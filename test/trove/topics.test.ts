import { expect, it } from 'vitest';
import { guestTopic } from '../../src/trove/topics.ts';

it('the topic of a guest is the routing key that the real Trove publishes to', () => {
  // From api_calls_encrypted.json.
  expect(guestTopic('11111111-aaaa-4bbb-8ccc-000000000002')).toBe(
    'guestagent.11111111-aaaa-4bbb-8ccc-000000000002',
  );
});
