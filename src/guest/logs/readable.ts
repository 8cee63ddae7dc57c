import { isUtf8 } from 'node:buffer';

/** A character in UTF-8, one letter a byte; a byte beyond ASCII that belongs to none is left over. */
const CHARACTER =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/**
 * The bytes as they are when they are UTF-8. Of others those that belong to no character are written out, as
 * `\xe9`: Trove's client decodes a whole object at once, and one such byte would keep it from showing any line.
 */
export function readable(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  const text = bytes.toString('latin1').replaceAll(CHARACTER, (found) => {
    return found.length > 1 ? found : `\\x${found.charCodeAt(0).toString(16)}`;
  });
  return Buffer.from(text, 'latin1');
}
