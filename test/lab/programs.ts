import path from 'node:path';
import { messageOf } from '../../src/base/errors.ts';
import { resolveSubject, type Subject } from '../conformance/subject.ts';

/** Which chmpx, k2hdkc and tools the VMs run. */
export interface LabPrograms {
  /** The folder that they are in. */
  folder: string;
  /** For a person: which they are. */
  description: string;
}

/** The real programs when they are all on PATH, unless the stand-ins are asked for. */
export function choosePrograms(standIns: boolean): LabPrograms {
  const { name, version, program }: Subject = standIns ? resolveSubject({}) : realOrStandIns();
  const folder = path.dirname(program('chmpx'));
  return { folder, description: `chmpx and k2hdkc: ${name} (chmpx ${version}) in ${folder}` };
}

function realOrStandIns(): Subject {
  try {
    return resolveSubject({ ...process.env, K2HDKC_TEST_SUBJECT: 'real' });
  } catch (error) {
    if (!messageOf(error).startsWith('Conformance needs')) throw error;
    return resolveSubject({}); // they are not all there
  }
}
