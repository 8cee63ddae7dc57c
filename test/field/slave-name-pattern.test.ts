// Hand-written templates have a regular expression as NAME in [SLVNODE], which chmpx takes and this agent
// refuses in the words of docs/ini.md.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseRole } from '../../src/ini/text/parse-role.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { roleText } from '../ini/roles.ts';

const DUMMY = 'NAME                = 127.0.0.1';

it.each(['[.]*', '.*', '^node[0-9]+$', 'a|b'])('%s is refused', async (pattern) => {
  const text = roleText('threeServers');
  expect(text).toContain(DUMMY);
  const reading = parseRole(text.replace(DUMMY, `NAME = ${pattern}`));
  expect(reading).toMatchObject({ ok: false, problems: [{ kind: 'not-sane' }] });
  const said = reading.ok ? '' : (reading.problems[0]?.text ?? '');
  const pageText = await readFile(path.join(projectRoot, 'docs/ini.md'), 'utf8');
  const page = pageText.replaceAll(/\s+/g, ' ');
  expect(page).toContain(said.replace(/line \d+/, 'line 49').replace(pattern, '[.]*'));
});
