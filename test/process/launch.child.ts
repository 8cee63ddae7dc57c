import { systemClock } from '../../src/base/clock.ts';
import { readBootId } from '../../src/host/boot-id.ts';
import { DirectLauncher } from '../../src/process/direct-launcher.ts';
import type { ProgramSpec } from '../../src/process/launcher.ts';

// An agent that has launched a program and then waits to be killed.
const [, , directory = '', spec = ''] = process.argv;
const bootId = readBootId();
const launcher = new DirectLauncher({ directory, bootId, clock: systemClock, adoptedPollMs: 250 });
const { identity } = await launcher.launch(JSON.parse(spec) as ProgramSpec);
process.stdout.write(`${JSON.stringify(identity)}\n`);
setInterval(() => undefined, 60_000);
