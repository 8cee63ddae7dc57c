interface Entry {
  source: string;
  version: string;
  items: string[];
  maintainer: string;
  date: Date;
}

/** See changelog.mjs. */
export function sections(text: string): { version: string; date: string; text: string }[];
export function debianEntry(entry: Entry): string;
export function rpmEntry(entry: Entry): string;
export function listItems(text: string): string[];
