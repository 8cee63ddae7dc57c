import { expect, it } from 'vitest';
import { controlGroup, groupIn } from '../../src/process/control-group.ts';

it.each([
  ['version 2', '0::/system.slice/a.service\n', '/system.slice/a.service'],
  ['both', '1:name=systemd:/a.service\n0::/\n', '/a.service'],
  ['version 1', '9:name=systemd:/a:b.service\n8:pids:/\n', '/a:b.service'],
  ['version 1 without systemd', '8:pids:/\n', null],
  ['nothing', '', null],
])('reads the group of %s', (_, text, group) => {
  expect(groupIn(text)).toBe(group);
});

it('knows its own, and none of a process that is gone', () => {
  expect(controlGroup('self')).toBe(controlGroup(process.pid));
  expect(controlGroup(2 ** 22 + 1)).toBeNull();
});
