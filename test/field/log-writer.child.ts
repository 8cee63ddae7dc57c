import { createInterface } from 'node:readline';
import { LineOutput } from '../../src/base/line-output.ts';

// Writes each line of its standard input to its standard output, as the agent writes its log.
process.stdout.on('error', () => undefined);
const output = new LineOutput(process.stdout);
output.onTakenAgain = (lost) => {
  output.write(`lost ${lost}\n`);
};
createInterface({ input: process.stdin }).on('line', (line) => {
  output.write(`${line}\n`);
  setImmediate(() => process.stderr.write(`${line}\n`));
});
