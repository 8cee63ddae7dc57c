// A vhost whose queues are quorum queues by default: the broker makes one of each durable queue that is declared
// without a type, and leaves the others as they are.
import { expect, inject, it, onTestFinished } from 'vitest';
import { startOsloGuest } from '../../helpers/oslo-guest.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { Broker } from '../../peers/broker.ts';

const broker = new Broker(inject('broker'));

it.each([
  ['the defaults', '', undefined],
  ['amqp_auto_delete', 'amqp_auto_delete = true', undefined],
  ['amqp_durable_queues', 'amqp_durable_queues = true', 'quorum'],
  ['rabbit_quorum_queue', 'rabbit_quorum_queue = true', 'quorum'],
])('guests with %s declare their queues, and again what is there', async (_, options, type) => {
  const vhost = await broker.createVhost(undefined, 'quorum');
  onTestFinished(() => broker.deleteVhost(vhost));
  const { log, texts } = recordingLog('warn');
  const config = `[DEFAULT]\ntransport_url = ${broker.url(vhost)}\n[oslo_messaging_rabbit]\n${options}\n`;
  for (let times = 0; times < 2; times++) {
    const guest = await startOsloGuest({
      topic: 'guestagent.g1',
      server: 'g1',
      config,
      dispatcher: { dispatch: () => Promise.resolve(null) },
      log,
    });
    onTestFinished(() => guest.stop());
  }
  const queue = await broker.queue(vhost, 'guestagent.g1.g1');
  expect(queue?.arguments['x-queue-type']).toBe(type);
  expect(texts).toEqual([]);
});
