// What the two guests of amqplib share: a queue, and the reply to whoever asks for one.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import amqplib from 'amqplib';

/** Takes the queue `node FILE URL QUEUE` names; `requestIn` reads a message. Every message is acknowledged. */
export async function consume(requestIn) {
  const [url, queue] = process.argv.slice(2);
  const connection = await amqplib.connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.assertExchange('trove', 'topic', { durable: false });
  await channel.assertQueue(queue, { durable: false });
  await channel.bindQueue(queue, 'trove', queue);
  await channel.consume(queue, (message) => {
    const { _msg_id, _reply_q } = requestIn(message.content);
    if (_reply_q !== undefined) {
      const reply = JSON.stringify({ result: true, failure: null, ending: true, _msg_id });
      const envelope = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': reply });
      channel.sendToQueue(_reply_q, Buffer.from(envelope), { contentType: 'application/json' });
    }
    channel.ack(message);
  });
}
