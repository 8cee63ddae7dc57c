import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'prettier';
import { projectRoot } from '../test/helpers/project-root.ts';

const FILE = path.join(projectRoot, 'bench/RESULTS.md');

/** A benchmark's part of the page, as it stands there; `text` begins with its `# title`. */
export function formatSection(text: string): Promise<string> {
  return format(text, { parser: 'markdown', printWidth: 100 });
}

/** Puts a benchmark's part in the place of its last one, or at the end of bench/RESULTS.md. */
export async function writeSection(section: string): Promise<void> {
  const page = await readFile(FILE, 'utf8').catch(() => '');
  const title = titleOf(section);
  const sections = page.split(/^(?=# )/m).filter((text) => text.trim() !== '');
  const index = sections.findIndex((text) => titleOf(text) === title);
  sections.splice(index < 0 ? sections.length : index, index < 0 ? 0 : 1, section);
  await writeFile(FILE, `${sections.map((text) => text.trim()).join('\n\n')}\n`);
}

function titleOf(section: string): string | undefined {
  return /^# .*/.exec(section)?.[0];
}
