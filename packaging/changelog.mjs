// CHANGELOG.md as debian/changelog: each of its sections is a version.
const WIDTH = 78;

/** The sections of a CHANGELOG.md, newest first: `## 1.2.3 (2026-11-30)` and its list. */
export function sections(text) {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const [version = ''] = heading.split(' ');
      if (!/^\d+\.\d+\.\d+$/.test(version)) {
        throw new Error(`CHANGELOG.md has a section "${heading}" that names no version`);
      }
      return { version, text: lines.join('\n').trim() };
    });
}

/** One entry of debian/changelog. `items` are paragraphs, `date` is a Date. */
export function debianEntry({ source, version, items, maintainer, date }) {
  const changes = items.map((item) => wrap(item)).join('\n');
  return `${source} (${version}) unstable; urgency=medium\n\n${changes}\n\n -- ${maintainer}  ${rfc2822(date)}\n`;
}

/** The paragraphs of a list: `- one` and the lines that go on with it. */
export function listItems(text) {
  return text
    .split(/^- /m)
    .slice(1)
    .map((item) => item.replace(/\s+/g, ' ').trim());
}

function wrap(item) {
  const lines = [];
  let line = '  *';
  for (const word of item.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function rfc2822(date) {
  return date.toUTCString().replace('GMT', '+0000');
}
