// The least that survives a flood: amqplib, which answers what it can read and acknowledges everything.
// `node bare.mjs URL QUEUE`
import { consume } from './consume.mjs';

await consume((content) => {
  try {
    return JSON.parse(JSON.parse(content.toString())['oslo.message']);
  } catch {
    return {};
  }
});
