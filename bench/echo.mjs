// The least that answers rpc_ping: amqplib and nothing else. `node echo.mjs URL QUEUE`
import { consume } from './consume.mjs';

await consume((content) => JSON.parse(JSON.parse(content.toString())['oslo.message']));
