// An exchange or a binding is lost at the broker: deleted and declared again by others, or lost by a node of a
// cluster. The guest stays connected and hears nothing.
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import type { AmqpSession } from '../../../src/amqp/session.ts';
import { SAYS, SessionLab } from '../../helpers/session-lab.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';
import { Minutes } from './minutes.ts';

const REPAIRED = 'this guest could not be reached; all is declared again';

let lab: SessionLab;
let minutes: Minutes;

beforeEach(async () => {
  minutes = new Minutes();
  lab = await SessionLab.open(new Broker(inject('broker')));
});

afterEach(async () => {
  await lab.close();
});

/** Another program's message to the guest arrives. */
async function expectHeard(text: string): Promise<void> {
  const channel = await lab.otherProgram();
  channel.publish('x', 'k', Buffer.from(text));
  await until(`${text} is heard`, () => lab.received.includes(text));
}

async function start(): Promise<AmqpSession> {
  const session = await lab.startSession({ clock: minutes.clock });
  await until('it waits for its next proof', () => minutes.waiting === 1);
  return session;
}

it('a binding that is gone is declared again at the next proof', async () => {
  const session = await start();
  await (await lab.otherProgram()).unbindQueue('q', 'x', 'k');
  minutes.pass();
  await until('it is declared again', () => lab.said(REPAIRED) === 1);
  await expectHeard('after the repair');
  await until('it waits for its next proof', () => minutes.waiting === 1);
  expect(session.concern).toBeNull();
  expect(lab.said(SAYS.lost)).toBe(0);
});

it('an exchange that others deleted and declared again gets its bindings back', async () => {
  await start();
  const channel = await lab.otherProgram();
  await channel.deleteExchange('x');
  await channel.assertExchange('x', 'topic', { durable: false });
  minutes.pass();
  await until('it is declared again', () => lab.said(REPAIRED) === 1);
  await expectHeard('after the repair');
  expect(lab.said(SAYS.lost)).toBe(0);
});

it('an exchange that is gone is declared with its bindings after the 404 of a publisher', async () => {
  const session = await start();
  await (await lab.otherProgram()).deleteExchange('x');
  await expect(session.publish(lab.message('lost'))).rejects.toThrow('not confirmed');
  const again = 'AMQP publisher lost; opening it again';
  await until('the publisher is back', () => lab.said(again) === 1 && session.connected);
  await lab.expectService(session, 'after the 404');
  expect(lab.said(SAYS.lost)).toBe(0);
});

it('nobody else sees a message to oneself, and a guest that is reached declares nothing', async () => {
  const session = await start();
  minutes.pass();
  await until('it waits for its next proof', () => minutes.waiting === 1);
  await lab.expectService(session, 'a message');
  expect(lab.received).toEqual(['a message']);
  expect(lab.said(REPAIRED)).toBe(0);
});
