import { lockDirectory } from '../../src/host/instance-lock.ts';

// A process that holds the lock of a directory until it is killed.
const [, , directory = ''] = process.argv;
await lockDirectory(directory);
process.stdout.write('locked\n');
setInterval(() => undefined, 60_000);
