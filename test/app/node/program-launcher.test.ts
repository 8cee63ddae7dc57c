import { expect, it } from 'vitest';
import { launcherForm } from '../../../src/app/node/program-launcher.ts';

it.each([
  ['a unit', { SYSTEMD_EXEC_PID: '7' }, true, 'systemd'],
  ['a child of a unit', { SYSTEMD_EXEC_PID: '6' }, true, 'direct'],
  ['started by hand', {}, true, 'direct'],
  ['in a container without systemd', { SYSTEMD_EXEC_PID: '7' }, false, 'direct'],
])(
  'has systemd start the programs when the agent is a unit: %s',
  (_, environment, booted, form) => {
    const expected = process.getuid?.() === 0 ? form : 'direct';
    expect(launcherForm(environment, 7, booted)).toBe(expected);
  },
);
