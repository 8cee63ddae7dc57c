import { messageOf } from '../../src/base/errors.ts';

/** Prints a text as it is. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Does what a command of the lab does, and ends this process with its exit code; an error is one line. */
export function runCommand(name: string, main: () => Promise<number>): void {
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(`${name}: ${messageOf(error)}\n`);
      process.exit(1);
    },
  );
}
