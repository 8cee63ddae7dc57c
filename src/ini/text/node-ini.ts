import type { ClusterModel } from '../model/model.ts';
import { renderIni, type IniComment } from './render.ts';

/** The ini of this node: what it says, and the text that says it. */
export interface NodeIni {
  /** All that chmpx and k2hdkc are to read; SELFCUK is this node's. */
  readonly model: ClusterModel;
  readonly comment: IniComment;
  /** For the file; equal models with equal comments have equal texts. */
  readonly text: string;
}

/** The ini of this model; throws as `renderIni` does. */
export function nodeIni(model: ClusterModel, comment: IniComment): NodeIni {
  return { model, comment, text: renderIni(model, comment) };
}
