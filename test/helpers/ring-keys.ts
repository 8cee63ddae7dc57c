/**
 * Runs lines with k2hdkclinetool on a slave of the ring, and gives all that it printed, standard
 * output and standard error.
 */
export type KeyTool = (lines: readonly string[]) => Promise<string>;

/** What became of keys that were asked for. */
export interface KeysRead {
  found: number;
  /** Those that a server says it does not have. */
  missing: number;
  /** Those that no server answered for. */
  failed: number;
}

/** Writes the keys PREFIX0, PREFIX1 … with the values v0, v1 …; gives how many were acknowledged. */
export async function writeKeys(tool: KeyTool, prefix: string, count: number): Promise<number> {
  const text = await tool(numbered(count).map((index) => `set ${prefix}${index} v${index}`));
  if (text.includes('[ERR] Could not')) throw new Error(text.slice(0, 300)); // it has not joined
  return count - occurrences(text, 'Something internal error occurred during setting');
}

/** Reads what `writeKeys` has written. A key with another value counts as missing. */
export async function readKeys(tool: KeyTool, prefix: string, count: number): Promise<KeysRead> {
  const text = await tool(numbered(count).map((index) => `print ${prefix}${index}`));
  const found = numbered(count).filter((index) =>
    text.includes(`"${prefix}${index}" => "v${index}"\n`),
  ).length;
  const failed = occurrences(text, '[ERR] Something error occurred.');
  return { found, missing: count - found - failed, failed };
}

function numbered(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}
