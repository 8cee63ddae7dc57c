/** What was given on the command line, by lower-case name without the dash. */
export type Options = ReadonlyMap<string, string>;

/**
 * Reads a command line as AntPickax's parser does (docs/contracts/chmpx.md, 1.1): names in any
 * case, a value is the next word unless that begins with a dash, unknown options are kept and
 * ignored by everybody. `-f` is `-conf`.
 */
export function parseOptions(words: readonly string[]): Options {
  const options = new Map<string, string>();
  words.forEach((word, index) => {
    if (!word.startsWith('-')) return;
    const name = word.slice(1).toLowerCase();
    const next = words[index + 1];
    const value = next === undefined || next.startsWith('-') ? '' : next;
    options.set(name === 'f' ? 'conf' : name, value);
  });
  return options;
}

/**
 * The configuration file of a run, from `-conf` or the environment, or `undefined` when neither
 * was given. A `-conf` without a value names a file called `empty`, as the real programs report it.
 */
export function configurationFile(
  options: Options,
  environment: string | undefined,
): string | undefined {
  const given = options.get('conf');
  if (given === '') return 'empty';
  return given ?? environment;
}

/** Whether `-d err` or more was asked for, on the command line or in the environment. */
export function showsErrors(options: Options, environment: string | undefined): boolean {
  const level = (options.get('d') ?? environment ?? 'silent').toLowerCase();
  return level !== '' && level !== 'silent';
}
