import { describe, expect, it } from 'vitest';
import { roleDiff } from '../../src/role/role-diff.ts';
import { roleText } from '../ini/roles.ts';

describe('roleDiff', () => {
  it('shows the lines that are gone and those that are new', () => {
    expect(roleDiff('[A]\nK = 1\nL = 2\n', '[A]\nK   =   1\n# comment\n\nL=3\n')).toBe(
      '-"L=2" +"L=3"',
    );
    expect(roleDiff('a\nb\n', 'b\na\n')).toBe('');
    expect(roleDiff('a\n', 'a\na\n')).toBe('+"a"');
  });

  it('shows what a hostile tag brings, on one line and short', () => {
    const diff = roleDiff(roleText('noServers'), roleText('tagWithNewline'));
    expect(diff).toContain('EVIL');
    expect(diff).not.toMatch(/[\n\r]/);
    expect(diff.length).toBeLessThan(800);
    const endless = roleDiff('', 'x y '.repeat(100_000) + '\n' + 'l\n'.repeat(5_000));
    expect(endless.length).toBeLessThan(300);
    expect(endless).toMatch(/\+\(4997 more\)$/);
  });

  it('holds nothing that looks like a secret', () => {
    expect(roleDiff('', `token ${'ab'.repeat(32)}`)).toBe('+"token [secret]"');
  });
});
