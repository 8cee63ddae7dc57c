import { AgentError } from '../base/errors.ts';
import type { ProgramSpec } from './launcher.ts';

/** The error for a program that could not be executed: what to do about it. */
export function cannotExecute({ name, command }: ProgramSpec, cause: unknown): AgentError {
  return new AgentError(
    `cannot start ${name}: ${command} could not be executed; install it or set programs.${name} in agent.yaml`,
    { cause, retryable: true },
  );
}
