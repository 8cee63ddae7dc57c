/** Releases that the stand-ins speak for; the word `standin` is where a commit would be. */
const releases = [
  ['K2hdkc', '1.0.19'],
  ['K2HASH library', '1.0.99'],
  ['FULLOCK', '1.0.67'],
  ['CHMPX', '1.0.113'],
] as const;

/** What `-v` prints for these programs: an empty line, then a line to parse, then prose. */
export function versionText(...names: (typeof releases)[number][0][]): string {
  return releases
    .filter(([name]) => names.includes(name))
    .map(([name, release]) => {
      const ssl = name === 'CHMPX' || name === 'K2HASH library' ? ' with OpenSSL' : '';
      return `\n${name} Version ${release} (commit: standin)${ssl}\n\nA stand-in for tests.\n\n`;
    })
    .join('');
}
