import { Refused } from './configuration.ts';
import type { Geometry } from './k2h-file.ts';
import { atoi, onOff } from './ini.ts';

/** What k2hdkc takes from `[K2HDKC]`. */
export interface K2hdkcSection {
  /** Path as written, relative to the working directory; empty with K2HTYPE mem. */
  file: string;
  geometry: Geometry;
  maxThread: number;
}

/**
 * Reads the first `[K2HDKC]` with k2hdkc's own parser: keys in any case, `#` cuts a value, quotes
 * stay (docs/contracts/ini.md, 2.2). Throws Refused.
 */
export function readK2hdkcSection(file: string, text: string): K2hdkcSection {
  const values = sectionValues(text);
  if (values === undefined) {
    throw new Refused([`LoadIni(0) : Could not find section([K2HDKC]) in file(${file}).`]);
  }
  const value = (key: string, otherwise: string): string => values.get(key) ?? otherwise;
  const type = value('K2HTYPE', '').toUpperCase();
  if (!['', 'M', 'MEM', 'MEMORY', 'F', 'FILE', 'T', 'TEMP', 'TEMPORARY'].includes(type)) {
    throw new Refused([
      `LoadIni(0) : keyword(K2HTYPE)'s value(${type}) in section([K2HDKC]) is unknown value.`,
    ]);
  }
  const maskBit = atoi(value('K2HMASKBIT', '8'));
  if (maskBit < 2 || maskBit > 28) {
    throw new Refused([
      `LoadIni(0) : keyword(K2HMASKBIT)'s value(${maskBit}) in section([K2HDKC]) must be from 2 to 28 range.`,
    ]);
  }
  const inMemory = type.startsWith('M') || type === '';
  const k2hfile = value('K2HFILE', '');
  if (!inMemory && k2hfile === '') {
    throw new Refused([
      `Load(0) : keyword(K2HTYPE) in section([K2HDKC]) in configuration(${file}) needs K2HFILE.`,
    ]);
  }
  return {
    file: inMemory ? '' : k2hfile,
    geometry: {
      maskBit,
      collisionMaskBit: atoi(value('K2HCMASKBIT', '4')),
      maxElements: atoi(value('K2HMAXELE', '32')),
      fullMap: onOff(value('K2HFULLMAP', 'on')) ?? true,
    },
    maxThread: atoi(value('MAXTHREAD', '100')),
  };
}

function sectionValues(text: string): Map<string, string> | undefined {
  let values: Map<string, string> | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line.startsWith('[')) {
      if (values !== undefined) return values;
      if (line === '[K2HDKC]') values = new Map();
      continue;
    }
    const [key = '', ...rest] = line.split('=');
    if (key !== '') values?.set(key.trim().toUpperCase(), rest.join('=').trim());
  }
  return values;
}
