import path from 'node:path';
import { AgentError } from '../base/errors.ts';
import {
  describeOverrides,
  NO_OVERRIDES,
  overrideProblems,
  withOverrides,
  type IniOverrides,
} from '../cluster/ini-overrides.ts';
import { parseRole } from '../cluster/parse-role.ts';
import { firstProblems, notSane as notSaneProblem, type Problem } from '../cluster/problems.ts';
import { renderIni } from '../cluster/render.ts';
import { validateRole } from '../cluster/validate.ts';
import type { K2hTarget } from '../backup/restore-load.ts';
import { k2hTargetOf } from './k2h-target.ts';
import type { Registration } from './desired-state.ts';

/** A role resource that was read, checked and found sane. */
export interface RoleDocument {
  /** The ini for this node; null when the ring does not hold it, so that it must register. */
  ini: string | null;
  /** The names of the servers in the ring's order. */
  servers: string[];
  /** How many servers stand before this node; 0 when it is not among them. */
  position: number;
  /** The folder of K2HFILE, which k2hdkc does not make itself; null when there is none. */
  dataDirectory: string | null;
  /** That file, for a restore; null when the data is in memory only. */
  k2h: K2hTarget | null;
}

/** What the role must agree with, and what the operator sets in its place. */
export interface RoleExpectations {
  /** Default server. */
  mode?: 'server' | 'slave';
  /** Empty: that of the role, which K2HR3 keeps in small letters. */
  clusterName: string;
  serverPort?: number;
  serverControlPort?: number;
  overrides?: IniOverrides;
}

/**
 * Makes a document of the role resource's text: other people's input until it is parsed into the
 * model and validated.
 *
 * @throws AgentError `role-refused` with all reasons in one line.
 */
export function readRoleDocument(
  text: string,
  registration: Registration,
  expectations: RoleExpectations,
): RoleDocument {
  const { mode = 'server', overrides = NO_OVERRIDES, ...expected } = expectations;
  const reading = parseRole(text);
  if (!reading.ok) throw refused(reading.problems);
  const model = withOverrides(reading.model, overrides);
  const { cuk, roleName } = registration;
  const problems = [
    ...overrideProblems(model, overrides).map(notSaneProblem),
    ...validateRole(model, {
      ...expected,
      clusterName: expected.clusterName || clusterOfRole(roleName, model.global.group),
      cuk,
      mode,
    }),
  ];
  const notSane = problems.filter(({ kind }) => kind === 'not-sane');
  if (notSane.length > 0) throw refused(notSane);
  const servers = model.servers.map(({ name }) => name);
  if (problems.length > 0) {
    return { ini: null, servers, position: 0, dataDirectory: null, k2h: null };
  }
  const ini = renderIni(model, {
    cuk,
    origin: roleName.replace(':role:', ':resource:'),
    overridden: describeOverrides(overrides),
  });
  const file = model.k2hdkc?.get('K2HFILE');
  const dataDirectory = typeof file === 'string' ? path.dirname(file) : null;
  return {
    ini,
    servers,
    dataDirectory,
    k2h: model.k2hdkc ? k2hTargetOf(model.k2hdkc) : null,
    position: Math.max(
      0,
      model.servers.findIndex((server) => server.cuk === cuk),
    ),
  };
}

/** `yrn:…:role:mycluster/slave` is of MyCluster too. */
function clusterOfRole(roleName: string, group: string): string {
  const name = /:role:([^/]+)/.exec(roleName)?.[1] ?? '';
  return group.toLowerCase() === name ? group : name;
}

function refused(problems: Problem[]): AgentError {
  const texts = firstProblems(problems).map(({ text }) => text);
  return new AgentError('role-refused', `the role resource is refused: ${texts.join('; ')}`, {
    retryable: true,
  });
}
