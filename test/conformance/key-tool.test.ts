import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { RingLab } from './ring-lab.ts';

describe('k2hdkclinetool (docs/contracts/chmpx.md, 1.4)', () => {
  it('a value is printed after its key, and a missing one is said to be not found', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    const text = await lab.tool(['set k v', 'print k', 'rm k', 'print k', 'set k "a b"', 'p k']);
    expect(text).toBe(
      '> set k v\n> print k\n"k" => "v"\n> rm k\n> print k\n"k" => value is not found\n' +
        '> set k "a b"\n> p k\n"k" => "a b"\n> exit\nQuit.\n',
    );
  });

  it('fill writes PREFIX-0 and so on', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    expect(await lab.tool(['fill f val 3', 'print f-0', 'print f-2', 'print f-3'])).toContain(
      '"f-0" => "val"\n> print f-2\n"f-2" => "val"\n> print f-3\n"f-3" => value is not found\n',
    );
  });

  it('it ends with 0 when every command has failed', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    const { host, ini } = lab.slave;
    const script = host.write('bad', 'bogus\nset k\nprint\nexit\n');
    const { code, text } = await host.run('k2hdkclinetool', ['-conf', ini, '-run', script]);
    expect(code).toBe(0);
    expect(text).toContain('[ERR] Unknown option(bogus).');
    expect(text).toContain('[ERR] Option(set) needs 2 parameter.');
    expect(text).toContain('[ERR] Option(print) needs 1 parameter.');
  });

  it('without the chmpx of the slave it ends with 1 if it is to stay attached, else with 0', async () => {
    const lab = await RingLab.open({ count: 1 });
    lab.publish([lab.slave], lab.servers);
    const { host, ini } = lab.slave;
    const script = host.write('some', 'print k\nset k v\nexit\n');
    const words = ['-conf', ini, '-run', script];
    const stays = await host.run('k2hdkclinetool', [...words, '-perm']);
    expect([stays.code, stays.text]).toEqual([1, '[ERR] Could not join slave node chmpx.\n']);
    const { code, text } = await host.run('k2hdkclinetool', words);
    expect(code).toBe(0);
    expect(text).toContain('[ERR] Something error occurred.');
    expect(text).toContain('[ERR] Something internal error occurred during setting key and value.');
  });

  it('a script that is not there ends it with 1', async () => {
    const lab = await RingLab.open({ count: 1 });
    lab.publish([lab.slave], lab.servers);
    const { host, ini } = lab.slave;
    const { code, text } = await host.run('k2hdkclinetool', ['-conf', ini, '-run', 'missing']);
    expect(code).toBe(1);
    expect(text).toContain('for option "-run" does not exist(errno=2).');
  });

  it('a script that does not end with exit stays at the prompt', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    const { host, ini } = lab.slave;
    const script = host.write('open', 'echo hello\n');
    const tool = await host.start('k2hdkclinetool', ['-conf', ini, '-run', script]);
    await until('its output', () => tool.text.includes('hello\n'));
    await sleep(systemClock, 500);
    expect(tool.alive).toBe(true);
    tool.send('SIGKILL');
    await tool.end();
  });
});
