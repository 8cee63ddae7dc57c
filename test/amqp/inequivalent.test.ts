import { describe, expect, it } from 'vitest';
import { InequivalentDeclaration } from '../../src/amqp/inequivalent.ts';

/** As amqplib shows what RabbitMQ 3.10 says. */
function refused(text: string): Error {
  return new Error(
    `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - ${text}"`,
  );
}

describe('InequivalentDeclaration', () => {
  it.each([
    [
      "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
      'queue q is declared differently at the broker: durable is true there and false here; ' +
        'set some_option here as Trove has it, or delete it at the broker',
    ],
    [
      "inequivalent arg 'x-expires' for queue 'q' in vhost 'a b': received the value '60000' of " +
        "type 'signedint' but current is the value '1800000' of type 'signedint'",
      'queue q is declared differently at the broker: x-expires is 1800000 there and 60000 here; ' +
        'delete it at the broker',
    ],
    [
      "inequivalent arg 'durable' for queue 'q' in vhost '/': received none but current is the " +
        "value 'quorum' of type 'longstr'",
      'queue q is declared differently at the broker: durable is quorum there and none here; ' +
        'set some_option here as Trove has it, or delete it at the broker',
    ],
  ])('says what differs, and the option behind it: %s', (text, message) => {
    const setBy = { durable: 'some_option' };
    const difference = InequivalentDeclaration.from('queue q', setBy, refused(text));
    expect(difference).toMatchObject({ what: 'queue q', message });
  });

  it('is not what another error is about', () => {
    const other = refused("invalid property 'auto-delete' for queue 'q' in vhost '/'");
    expect(InequivalentDeclaration.from('queue q', {}, other)).toBeUndefined();
  });
});
