/** A citation of a document of docs/contracts, such as `(docs/contracts/k2hr3.md, 2.4 and 8.4)`. */
export interface Citation {
  /** File name of the document. */
  document: string;
  /** The section, such as `2.4`; null when the whole document is meant. */
  section: string | null;
  /** Line of the text in which the citation begins, from 1. */
  line: number;
}

/** What may stand between two words: a space, or the end of a comment's line and the next one. */
const GAP = String.raw`(?: |[ \t]*\r?\n[ \t]*(?:\*|//|#)?[ \t]*)`;
const NUMBER = String.raw`\d+(?:\.\d+)*`;
const CITATION = new RegExp(
  String.raw`docs/contracts/([a-z0-9-]+\.md)(?:,${GAP}(${NUMBER}(?:(?:,|${GAP}and|${GAP}to)${GAP}${NUMBER})*))?`,
  'g',
);
/** How facts were cited when they were not in this repository, and citations that name no document. */
const OLD_FORM = new RegExp(
  [
    String.raw`\bcontracts?,?${GAP}(?:sections?${GAP})?\d`,
    String.raw`\bcontracts/[a-z0-9-]+\.md${GAP}sections?\b`,
    String.raw`\b(?:trove-rpc|chmpx-k2hdkc|cluster-dynamics(?:-matched)?|backup-swift)${GAP}contracts?\b`,
    String.raw`\(sections?${GAP}\d`,
  ].join('|'),
  'gi',
);

/** Every citation in a text, one for each section that it names. */
export function citations(text: string): Citation[] {
  return [...text.matchAll(CITATION)].flatMap(({ 1: document = '', 2: list, index }) => {
    const sections = list === undefined ? [null] : (list.match(new RegExp(NUMBER, 'g')) ?? []);
    return sections.map((section) => ({ document, section, line: lineAt(text, index) }));
  });
}

/** Lines that cite a fact in another form than `docs/contracts/NAME.md, N`. */
export function oldForms(text: string): number[] {
  return [...text.matchAll(OLD_FORM)].map(({ index }) => lineAt(text, index));
}

/** Numbers of the sections of a document, in its order: `## 2. …` and `### 2.4 …`. */
export function sections(document: string): string[] {
  const found = document.matchAll(/^(?:## (\d+)\.|### (\d+\.\d+)) \S/gm);
  return [...found].map(([, top, sub]) => top ?? sub ?? '');
}

/** References of a document to sections of its own: `see 2.4`. */
export function ownReferences(document: string): Citation[] {
  return [...document.matchAll(/\bsee (\d+(?:\.\d+)*)/g)].map(({ 1: section = '', index }) => ({
    document: '',
    section,
    line: lineAt(document, index),
  }));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
