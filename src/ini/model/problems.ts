/** Why a role resource cannot be used as it is. */
export interface Problem {
  /**
   * `not-registered`: the document is fine, but this node is not in it, so registering again can
   * help. `not-sane`: the document itself must not be published.
   */
  kind: 'not-sane' | 'not-registered';
  /** One line for a person, naming section, key and value. */
  text: string;
}

/** Nobody reads more than this many problems of one document; a hostile one could make millions. */
const MOST_PROBLEMS = 20;
/** Longest part of somebody else's text that a problem repeats. */
const LONGEST_SHOWN = 80;

/** A problem of the document itself. */
export function notSane(text: string): Problem {
  return { kind: 'not-sane', text };
}

/** Somebody else's text in quotes, without control characters, cut to 80 characters. */
export function shown(text: string): string {
  const cut = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return JSON.stringify(cut);
}

/** The first twenty problems, followed by how many more there are. */
export function firstProblems(problems: readonly Problem[]): Problem[] {
  const more = problems.length - MOST_PROBLEMS;
  if (more <= 0) return [...problems];
  return [...problems.slice(0, MOST_PROBLEMS), notSane(`and ${more} more problems`)];
}
