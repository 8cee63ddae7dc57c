import { Lab } from '../peers/vm/lab.ts';

// Opens a lab in the given directory, with one VM in which something runs, and waits to be killed.
const lab = await Lab.open(process.argv[2] ?? '');
const vm = await lab.addVm();
await vm.start();
await vm.run('sleep', ['1000']);
await vm.run('setsid', ['--fork', 'sleep', '1000']);
process.stdout.write('ready\n');
setInterval(() => undefined, 1000);
