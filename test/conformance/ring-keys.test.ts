import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { IN, IN_ALONE, OUT } from './lab.ts';
import { RingLab } from './ring-lab.ts';

const all = (found: number): object => ({ found, missing: 0, failed: 0 });

/** Two servers with 600 keys, joined by a third, and 300 more keys. */
async function grown(replica: number): Promise<RingLab> {
  const lab = await RingLab.open({ count: 3, replica });
  await lab.form(2);
  expect(await lab.write('k', 600)).toBe(600);
  expect(await lab.read('k', 600)).toEqual(all(600));
  await lab.list(lab.server(3), lab.servers.slice(0, 2));
  await lab.join(lab.server(3));
  await lab.slave.sees(lab.server(3), IN);
  return lab;
}

async function shrunk(lab: RingLab): Promise<void> {
  const leaver = lab.server(3);
  await leaver.ask(`SERVICEOUT ${leaver.id}`);
  await leaver.reaches(OUT);
  await lab.slave.sees(leaver, OUT);
}

describe('automatic merges and keys (docs/contracts/ring.md, 1 and 6)', () => {
  it('keys are placed by hash modulo the number of servers: a grow from 2 to 3 hides 220 of 600', async () => {
    const lab = await grown(0);
    expect(await lab.read('k', 600)).toEqual({ found: 380, missing: 220, failed: 0 });
  });

  it('what is written after the grow is found; after an automatic leave 195 of 300 are not', async () => {
    const lab = await grown(0);
    expect(await lab.write('n', 300)).toBe(300);
    expect(await lab.read('n', 300)).toEqual(all(300));
    await shrunk(lab);
    expect(await lab.read('k', 600)).toEqual(all(600));
    expect(await lab.read('n', 300)).toEqual({ found: 105, missing: 195, failed: 0 });
  });

  it('a replica hides less: a grow from 2 to 3 nothing, the leave then 80 of 300', async () => {
    const lab = await grown(1);
    expect(await lab.read('k', 600)).toEqual(all(600));
    expect(await lab.write('n', 300)).toBe(300);
    await shrunk(lab);
    expect(await lab.read('k', 600)).toEqual(all(600));
    expect(await lab.read('n', 300)).toEqual({ found: 220, missing: 80, failed: 0 });
  });

  it('with a replica a server without k2hdkc is read past at once', async () => {
    const lab = await RingLab.open({ count: 2, replica: 1 });
    await lab.form(2);
    await lab.write('k', 20);
    const read = async (): Promise<number> => {
      const start = systemClock.monotonic();
      expect(await lab.read('k', 20)).toEqual(all(20));
      return systemClock.monotonic() - start;
    };
    const usual = await read();
    lab.server(2).k2hdkc?.send('SIGKILL');
    await lab.slave.sees(lab.server(2), IN_ALONE);
    await sleep(systemClock, 300);
    // Half of the keys would wait for 8 s each.
    expect((await read()) / usual).toBeLessThan(50);
  });

  it('k2hlinetool archives what was written through the ring, and what it loads is read at once', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    await lab.write('k', 20);
    const { host } = lab.server(1);
    const tool = async (...lines: string[]): Promise<string> => {
      const script = host.write('archive', [...lines, 'exit'].map((line) => `${line}\n`).join(''));
      const words = ['-f', host.dataFile('node.k2h'), '-run', script];
      return (await host.run('k2hlinetool', words)).text;
    };
    const archive = host.dataFile('x.k2har');
    expect(await tool(`ar put ${archive}`)).not.toContain('[ERR]');
    await lab.tool(['set k7 other', 'set later v']);
    expect(await tool(`ar load ${archive}`)).not.toContain('[ERR]');
    expect(await lab.read('k', 20)).toEqual(all(20));
    expect(await lab.tool(['print later'])).toContain('"later" => "v"');
  });
});
