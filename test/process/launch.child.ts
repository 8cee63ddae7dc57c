import { systemClock } from '../../src/base/clock.ts';
import { readBootId } from '../../src/host/boot-id.ts';
import { DirectStarter } from '../../src/process/direct-starter.ts';
import type { ProgramSpec } from '../../src/process/launcher.ts';
import { RecordedLauncher } from '../../src/process/recorded-launcher.ts';

// An agent that has launched a program and then waits to be killed.
const [, , directory = '', spec = ''] = process.argv;
const bootId = readBootId();
const starter = new DirectStarter({ directory, user: null });
const common = { directory, bootId, clock: systemClock };
const launcher = new RecordedLauncher({ ...common, starter, pollMs: 250 });
const { identity } = await launcher.launch(JSON.parse(spec) as ProgramSpec);
process.stdout.write(`${JSON.stringify(identity)}\n`);
setInterval(() => undefined, 60_000);
