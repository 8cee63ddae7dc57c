/** What a program finds its files, its texts and its times by. */
const NAMES = new Set(['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH']);
/** Locale, the file locks of fullock, and what chmpx, k2hash and k2hdkc write for whoever debugs them. */
const FORMS = /^(?:LC_[A-Z]+|FLCK[A-Z]+|ANTPICKAX_[A-Z_]+|(?:CHM|DKC|K2H)DBG(?:MODE|FILE))$/;

/**
 * The environment of a child: of this process's own only what a program needs. The rest can hold
 * secrets (oslo.config reads passwords from `OS_GROUP__OPTION`), or speak for this process
 * (`NOTIFY_SOCKET`).
 *
 * @param more set on top, whatever their names.
 */
export function childEnvironment(
  more: Readonly<Record<string, string>> = {},
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (NAMES.has(entry[0]) || FORMS.test(entry[0])),
  );
  return { ...Object.fromEntries(kept), ...more };
}
