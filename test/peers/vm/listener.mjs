// Listens in the network namespace that it was started in, and hands the socket to its parent, who
// lives in another one and accepts from then on. Arguments: address, port (0 for a free one).
import { createServer } from 'node:net';

const [address, port] = process.argv.slice(2);
const server = createServer();
server.once('error', (error) => {
  process.send({ error: error.message }, () => process.exit(1));
});
server.listen(Number(port), address, () => {
  process.send({ listening: true }, server, () => process.exit());
});
