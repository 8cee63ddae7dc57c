import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { ControlPort } from '../../../src/ring/control/control-port.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { until } from '../../helpers/until.ts';

/** What the stand-in does with a command; without an answer the connection stays open. */
type Reply = (socket: Socket) => void;

const answering =
  (text: string): Reply =>
  (socket) =>
    socket.end(text);
const silent: Reply = () => undefined;
const closing: Reply = (socket) => socket.end();

/** A control port that answers its commands, in order, as it was told to. */
class ScriptedPort {
  readonly commands: string[] = [];
  /** When each connection came, in milliseconds. */
  readonly times: number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  open = 0;
  mostOpen = 0;

  constructor(replies: Reply[]) {
    this.#server = createServer((socket) => {
      this.times.push(performance.now());
      this.#sockets.add(socket);
      this.mostOpen = Math.max(this.mostOpen, ++this.open);
      socket.on('close', () => this.open--);
      socket.on('data', (data) => {
        this.commands.push(data.toString());
        (replies.shift() ?? silent)(socket);
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** A clock on which everything takes a hundredth of the time. */
const fastClock: Clock = {
  wall: () => systemClock.wall(),
  monotonic: () => systemClock.monotonic() * 100,
  after: (ms, run) => systemClock.after(ms / 100, run),
};

describe('ControlPort', () => {
  let port: ScriptedPort | undefined;
  afterEach(() => port?.close());

  async function controlPort(replies: Reply[], clock = fastClock): Promise<ControlPort> {
    port = new ScriptedPort(replies);
    return new ControlPort({ port: await port.listen(), clock });
  }

  it('returns what chmpx answers to a question', async () => {
    const control = await controlPort([answering('RING Name = mycluster\n')]);
    expect(await control.allStatus(7000)).toBe('RING Name = mycluster');
    expect(port?.commands).toEqual(['ALLSTATUS']);
  });

  it('sends SERVICEOUT by name, control port and seed in one write', async () => {
    const control = await controlPort([answering('SUCCEED\n')]);
    const server = { serverName: 'node1.novalocal', controlPort: 8021, seed: 'seed-1' };
    expect(await control.serviceOut(server)).toBe('SUCCEED');
    expect(port?.commands).toEqual(['SERVICEOUT node1.novalocal:8021:seed-1']);
  });

  it('counts every answer that begins with SUCCEED', async () => {
    const control = await controlPort([answering('SUCCEED: There no server on RING.\n')]);
    expect(await control.serviceIn()).toBe('SUCCEED: There no server on RING.');
  });

  it('rejects with the answer of a chmpx that refuses, without asking again', async () => {
    const answer = 'ERROR: Could not change status, because server is operating now.';
    const control = await controlPort([answering(`${answer}\n`)]);
    await expect(control.serviceIn()).rejects.toMatchObject({
      kind: 'refused',
      retryable: false,
      message: `SERVICEIN: chmpx refused: "${answer}"`,
    });
    expect(port?.commands).toHaveLength(1);
  });

  it('asks a question once, and for no longer than it is given', async () => {
    const clock = new ManualClock();
    const control = await controlPort([silent, answering('late')], clock);
    const asked = expect(control.allStatus(2000)).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringMatching(/^ALLSTATUS: .* did not answer within 2000 ms$/) as string,
    });
    await until('chmpx is asked', () => port?.commands.length === 1);
    await clock.advance(2000);
    await asked;
    expect(port?.commands).toEqual(['ALLSTATUS']);
  });

  it('never sends SERVICEIN or SERVICEOUT twice', async () => {
    const control = await controlPort([silent, silent]);
    await expect(control.serviceIn()).rejects.toMatchObject({ kind: 'timeout' });
    const server = { serverName: 'a', controlPort: 1, seed: 's' };
    await expect(control.serviceOut(server)).rejects.toMatchObject({ kind: 'timeout' });
    expect(port?.commands).toEqual(['SERVICEIN', 'SERVICEOUT a:1:s']);
  });

  it('tells a chmpx that does not answer this address from one that is not there', async () => {
    const control = await controlPort([closing]);
    await expect(control.serviceIn()).rejects.toMatchObject({ kind: 'silent' });
    port?.close();
    await expect(control.serviceIn()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('speaks once at a time, and 100 ms apart', async () => {
    const late: Reply = (socket) => void systemClock.after(20, () => socket.end('SUCCEED'));
    const control = await controlPort([late, closing, late], systemClock);
    const [first, second, third] = await Promise.allSettled([
      control.serviceIn(),
      control.serviceIn(),
      control.serviceIn(),
    ]);
    expect([first.status, second.status, third.status]).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(port?.mostOpen).toBe(1);
    const [a = 0, b = 0, c = 0] = port?.times ?? [];
    expect(b - a).toBeGreaterThanOrEqual(115); // the answer, then the pause
    expect(c - b).toBeGreaterThanOrEqual(95);
  });

  it('refuses to name a server by something that would be read as something else', async () => {
    const control = await controlPort([]);
    const server = { serverName: 'a', controlPort: 1, seed: 'x:y' };
    await expect(control.serviceOut(server)).rejects.toThrow('cannot name a server by "x:y"');
    await expect(control.serviceOut({ ...server, serverName: 'a\nb', seed: 's' })).rejects.toThrow(
      'cannot name a server by "a\\nb"',
    );
    expect(port?.commands).toEqual([]);
  });

  it('cuts off what never ends', async () => {
    const endless: Reply = (socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
        if (!socket.destroyed) socket.once('drain', more);
      };
      socket.on('error', () => undefined);
      more();
    };
    const control = await controlPort([endless], systemClock);
    await expect(control.serviceIn()).rejects.toThrow('answers without end');
  });
});
