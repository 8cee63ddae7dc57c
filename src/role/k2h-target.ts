import type { K2hTarget } from '../backup/restore/restore-load.ts';
import type { Settings } from '../ini/model/model.ts';
import { effective } from '../ini/model/model.ts';

/** Where and how k2hdkc keeps its data; null when it is in memory only, or nowhere said. */
export function k2hTargetOf(k2hdkc: Settings): K2hTarget | null {
  const value = (key: string): unknown => effective('K2HDKC', k2hdkc, key);
  const number = (key: string): number => Number(value(key));
  const file = value('K2HFILE');
  if (value('K2HTYPE') !== 'file' || typeof file !== 'string') return null;
  const geometry = {
    maskBit: number('K2HMASKBIT'),
    collisionMaskBit: number('K2HCMASKBIT'),
    maxElements: number('K2HMAXELE'),
    pageSize: number('K2HPAGESIZE'),
    fullMap: value('K2HFULLMAP') === true,
  };
  return { file, geometry };
}
