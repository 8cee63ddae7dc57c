import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { IN } from './lab.ts';
import { RingLab } from './ring-lab.ts';

/** Keys of server 1 and 3 of three: their hashes modulo 3 are 0 and 2. */
const [ON_FIRST, ON_THIRD] = ['x0', 'x80'];

async function ringOfThree(): Promise<RingLab> {
  const lab = await RingLab.open({ count: 3 });
  await lab.form(3);
  await lab.tool([`set ${ON_FIRST} v1`, `set ${ON_THIRD} v1`]);
  return lab;
}

describe('servers that are silent (docs/contracts/ring.md, 5)', () => {
  it('one that is silent is not noticed, and all go on as before when it is back', async () => {
    const lab = await ringOfThree();
    lab.server(3).freeze(true);
    await sleep(systemClock, 4000);
    for (const member of [lab.server(1), lab.server(2), lab.slave]) {
      const { servers } = await member.view();
      expect(servers.map(({ status }) => status)).toEqual([IN, IN, IN]);
    }
    expect(await lab.tool([`print ${ON_FIRST}`])).toContain(`"${ON_FIRST}" => "v1"`);
    lab.server(3).freeze(false);
    expect(await lab.tool([`print ${ON_THIRD}`])).toContain(`"${ON_THIRD}" => "v1"`);
    expect(await lab.server(3).status()).toBe(IN);
  });

  it('a request to it waits until it is back', async () => {
    const lab = await ringOfThree();
    lab.server(3).freeze(true);
    let isAnswered = false;
    const answer = lab.tool([`print ${ON_THIRD}`]).finally(() => (isAnswered = true));
    await sleep(systemClock, 2500);
    expect(isAnswered).toBe(false);
    lab.server(3).freeze(false);
    expect(await answer).toContain(`"${ON_THIRD}" => "v1"`);
  });

  it('a write that fails for want of an answer can still arrive', async () => {
    const lab = await ringOfThree();
    const start = systemClock.monotonic();
    lab.server(3).k2hdkc?.send('SIGSTOP');
    const text = await lab.tool([`set ${ON_THIRD} v2`]);
    expect(text).toContain('[ERR] Something internal error occurred during setting key and value.');
    expect(systemClock.monotonic() - start).toBeGreaterThan(8000);
    lab.server(3).k2hdkc?.send('SIGCONT');
    await until('it has arrived', async () =>
      (await lab.tool([`print ${ON_THIRD}`])).includes(`"${ON_THIRD}" => "v2"`),
    );
  });
});
