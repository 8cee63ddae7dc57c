import { describe, expect, it } from 'vitest';
import { heldIni } from '../../../src/ini/start/held-ini.ts';
import { parseRole } from '../../../src/ini/text/parse-role.ts';
import { rollFor } from '../../../src/ini/start/needed-roll.ts';
import { sectionsIn, sectionsOf } from '../../../src/ini/text/sections.ts';
import { startKeys } from '../../../src/ini/start/start-keys.ts';
import { CUK1, iniOf, set, setBelow, type Edit } from '../roles.ts';

const OLD = iniOf();
const STARTED = startKeys(sectionsOf(OLD.model));
const many: Edit = (text) =>
  [set('MAXTHREAD', '50'), set('MAXCHMPX', '300'), set('REPLICA', '2')].reduce(
    (edited, one) => one(edited),
    setBelow(CUK1, 'PORT', '8040')(text).replaceAll('node2.', 'node4.'),
  );

describe('the ini for programs that run', () => {
  it('has the new ring, and what counts from a start on as it was', () => {
    const held = heldIni(iniOf(many), STARTED);
    const expected = iniOf((text) => set('REPLICA', '2')(text.replaceAll('node2.', 'node4.')));
    const note =
      '# As before until the programs start again: [GLOBAL] MAXCHMPX, [SVRNODE] PORT, [K2HDKC] MAXTHREAD.\n';
    expect(held?.text).toBe(`${note}${expected.text}`);
    expect(held?.model).toEqual(expected.model);
    expect(rollFor(expected.model, STARTED)).toBeNull();
  });

  it('reads back as its model', () => {
    const held = heldIni(iniOf(many), STARTED);
    expect(parseRole(held?.text ?? '')).toEqual({ ok: true, model: held?.model });
  });

  it('is the new one itself for programs that do not run', () => {
    const next = iniOf(many);
    expect(heldIni(next, null)).toBe(next);
  });

  it('is the new one itself when nothing has to wait', () => {
    const next = iniOf(set('REPLICA', '2'));
    expect(heldIni(next, STARTED)).toBe(next);
  });

  it('has keys again that the new one leaves out, and not those that are new', () => {
    const without = iniOf((text) => text.replace(/^MAXTHREAD .*$/m, 'EXPIRE = 60'));
    expect(heldIni(without, STARTED)?.model).toEqual(OLD.model);
  });

  it('has the queues of before for long ones, which start nothing again', () => {
    const held = heldIni(iniOf(set('MAXQPERSERVERMQ', '64')), STARTED);
    expect(held?.text).toContain('\nMAXQPERSERVERMQ = 8\n');
  });

  it('has what another agent remembered of its start, by the text of its file', () => {
    const remembered = startKeys(sectionsIn(OLD.text));
    expect(remembered).toEqual(STARTED);
    expect(heldIni(iniOf(set('MAXTHREAD', '50')), remembered)?.model).toEqual(OLD.model);
  });

  it.each<[string, Record<string, string>]>([
    ['nothing at all', {}],
    ['no name of the cluster', { ...STARTED, '[GLOBAL] GROUP': '' }],
    ['a key that this agent does not know', { ...STARTED, '[K2HDKC] SPEED': '9' }],
    ['a value that is none', { ...STARTED, '[GLOBAL] MAXMQCLIENT': '0x10' }],
    ['a value that this agent does not write', { ...STARTED, '[K2HDKC] K2HFILE': '/{{x}}' }],
  ])('cannot be made for programs that were started with %s', (_, started) => {
    expect(heldIni(OLD, started)).toBeNull();
  });
});
