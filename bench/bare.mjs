// The least that survives a flood: amqplib, which answers what it can read and acknowledges everything.
// `node bare.mjs URL QUEUE`
import { Buffer } from 'node:buffer';
import amqplib from 'amqplib';

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

function requestIn(content) {
  try {
    return JSON.parse(JSON.parse(content.toString())['oslo.message']);
  } catch {
    return {};
  }
}
