// Loaded into a process (`NODE_OPTIONS=--require=…`): what it would wait for 10 s or longer it waits for
// a 60th of that, so that a test sees its limits.
const { setTimeout: wait } = globalThis;

globalThis.setTimeout = (run, ms, ...args) => wait(run, ms >= 10_000 ? ms / 60 : ms, ...args);
