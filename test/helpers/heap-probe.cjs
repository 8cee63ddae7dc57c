// Loaded into a process (`NODE_OPTIONS=--require=…`): at SIGUSR2 it collects garbage and writes how
// many bytes of heap are in use after that, one line each time, to $HEAP_PROBE_FILE.
const { appendFileSync } = require('node:fs');
const process = require('node:process');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  collect();
  appendFileSync(process.env.HEAP_PROBE_FILE, `${process.memoryUsage().heapUsed}\n`);
});
