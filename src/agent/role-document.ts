import path from 'node:path';
import { AgentError } from '../base/errors.ts';
import { parseRole } from '../cluster/parse-role.ts';
import { firstProblems, type Problem } from '../cluster/problems.ts';
import { renderIni } from '../cluster/render.ts';
import { validateRole } from '../cluster/validate.ts';
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
}

/** The ports and the name that the role must agree with. */
export interface RoleExpectations {
  clusterName: string;
  serverPort?: number;
  serverControlPort?: number;
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
  const reading = parseRole(text);
  if (!reading.ok) throw refused(reading.problems);
  const { model } = reading;
  const { cuk, roleName } = registration;
  const problems = validateRole(model, { ...expectations, cuk, mode: 'server' });
  const notSane = problems.filter(({ kind }) => kind === 'not-sane');
  if (notSane.length > 0) throw refused(notSane);
  const servers = model.servers.map(({ name }) => name);
  if (problems.length > 0) return { ini: null, servers, position: 0, dataDirectory: null };
  const ini = renderIni(model, { cuk, origin: roleName.replace(':role:', ':resource:') });
  const file = model.k2hdkc?.get('K2HFILE');
  const dataDirectory = typeof file === 'string' ? path.dirname(file) : null;
  return {
    ini,
    servers,
    dataDirectory,
    position: model.servers.findIndex((server) => server.cuk === cuk),
  };
}

function refused(problems: Problem[]): AgentError {
  const texts = firstProblems(problems).map(({ text }) => text);
  return new AgentError('role-refused', `the role resource is refused: ${texts.join('; ')}`, {
    retryable: true,
  });
}
