import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { ControlPorts } from '../../../src/ring/control/control-ports.ts';
import type { RingNode } from '../../../src/ring/status.ts';
import { IN } from '../../node/builders.ts';
import { server } from '../rings.ts';

const OTHER_HOST = '127.0.0.2';
const OWN_HOST = '127.0.0.3';
const VIEW = ['RING Name = ring', 'No.1', 'Server Name = b', 'Control Port = 8021', 'CUK = cuk-b']
  .concat(['Custom ID Seed = s', `Server Status = 0x21(SAFE -> ${IN})`])
  .join('\n');

/** Servers a and b of one control port, a's on the host of this VM, which note what they are told. */
async function bench(answer = 'SUCCEED\n') {
  const told: string[] = [];
  let open = 0;
  let mostOpen = 0;
  const listen = async (name: string, host: string, port: number): Promise<number> => {
    const listener = createServer((socket) => {
      mostOpen = Math.max(mostOpen, ++open);
      socket.once('data', (data) => {
        told.push(`${name}: ${data.toString()}`);
        socket.end(answer, () => open--);
      });
    });
    listener.listen(port, host);
    await once(listener, 'listening');
    onTestFinished(() => void listener.close());
    return (listener.address() as AddressInfo).port;
  };
  const port = await listen('a', OWN_HOST, 0);
  await listen('b', OTHER_HOST, port);
  const at = (name: string): RingNode => ({ ...server(name, 'IN'), controlPort: port });
  const ports = new ControlPorts({
    ownHost: OWN_HOST,
    hostOf: () => OTHER_HOST,
    clock: systemClock,
  });
  return { ports, told, self: at('a'), other: at('b'), port, mostOpen: () => mostOpen };
}

it('tells the server of this VM where it listens for it, and another by its name', async () => {
  const { ports, told, self, other } = await bench();
  expect(await ports.send({ command: 'SERVICEIN', at: self }, self)).toBe('SUCCEED');
  expect(await ports.send({ command: 'COMPMERGE', at: other }, self)).toBe('SUCCEED');
  expect(told).toEqual(['a: SERVICEIN', 'b: COMPMERGE']);
});

it.each(['MERGE', 'COMPMERGE', 'ABORTMERGE', 'SERVICEIN'] as const)(
  'passes %s on',
  async (command) => {
    const { ports, told, self } = await bench();
    await ports.send({ command, at: self }, self);
    expect(told).toEqual([`a: ${command}`]);
  },
);

it('takes the one that is told out of the ring, or another that is named', async () => {
  const { ports, told, self, other, port } = await bench();
  await ports.send({ command: 'SERVICEOUT', at: self }, self);
  await ports.send({ command: 'SERVICEOUT', at: self, names: other }, self);
  expect(told).toEqual([`a: SERVICEOUT a:${port}:seed-a`, `a: SERVICEOUT b:${port}:seed-b`]);
});

it('rejects what chmpx refuses', async () => {
  const { ports, self } = await bench('ERROR: no\n');
  const sent = ports.send({ command: 'MERGE', at: self }, self);
  await expect(sent).rejects.toMatchObject({ kind: 'refused' });
});

it('asks another server how it sees the ring', async () => {
  const { ports, told, other } = await bench(VIEW);
  expect(await ports.viewOf(other, 30_000)).toMatchObject([{ name: 'b', cuk: 'cuk-b' }]);
  expect(told).toEqual(['b: ALLSTATUS']);
});

it('rejects an answer that is no view of a ring', async () => {
  const { ports, other } = await bench('SUCCEED\n');
  await expect(ports.viewOf(other, 30_000)).rejects.toThrow('ALLSTATUS: the answer has');
});

it('speaks to one server once at a time, whoever wants to', async () => {
  const { ports, told, self, other, mostOpen } = await bench();
  const orders = [1, 2, 3].map(() => ports.send({ command: 'MERGE', at: other }, self));
  await Promise.all(orders);
  expect(told).toHaveLength(3);
  expect(mostOpen()).toBe(1);
});
