// CHANGELOG.md as debian/changelog, and as the changelog of an rpm: each of its sections is a version.
const WIDTH = 78;

/** The sections of a CHANGELOG.md, newest first: `## 1.2.3 (2026-11-30)` and its list. */
export function sections(text) {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const [version = '', date = ''] = heading.split(' ');
      if (!/^\d+\.\d+\.\d+$/.test(version)) {
        throw new Error(`CHANGELOG.md has a section "${heading}" that names no version`);
      }
      return { version, date: date.replace(/[()]/g, ''), text: lines.join('\n').trim() };
    });
}

/** One entry of debian/changelog. `items` are paragraphs, `date` is a Date. */
export function debianEntry({ source, version, items, maintainer, date }) {
  const changes = items.map((item) => wrap(item)).join('\n');
  return `${source} (${version}) unstable; urgency=medium\n\n${changes}\n\n -- ${maintainer}  ${rfc2822(date)}\n`;
}

/** One entry of an rpm's changelog, of the same facts. */
export function rpmEntry({ version, items, maintainer, date }) {
  const [weekday, day, month, year] = date.toUTCString().replace(',', '').split(' ');
  // A percent sign is a macro's.
  const changes = items.map((item) => `- ${item.replaceAll('%', '%%')}`).join('\n');
  return `* ${weekday} ${month} ${day} ${year} ${maintainer} - ${version}-1\n${changes}\n`;
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
