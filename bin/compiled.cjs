// Compiling the bundle is a fifth of a start. Its compiled form is therefore kept beside it, and used
// with exactly that bundle and that Node.js; with any other the start just takes a little longer.
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

/**
 * Only what runs long and often is worth V8's optimizing compiler: an agent that waits, which is what it
 * does most of its life, is 3 MiB smaller without it. Node.js keeps its own modules compiled for other
 * flags: those that are loaded from here on start slower. The V8s of Node.js 22, 24 and 26 have other
 * flags for this, wait long enough by themselves, and complain about these two.
 */
const FLAGS = process.versions.v8.startsWith('11.3.') // Node.js 20
  ? ['--interrupt-budget=1000000', '--max-bytecode-size-for-early-opt=0']
  : [];

const HASH_BYTES = 32;
/** Of the code, and of the Node.js that compiles it. */
const hashOf = (code) =>
  createHash('sha256').update(`${process.version} ${process.arch}\n`).update(code).digest();

/**
 * What was kept for this code by this Node.js, or undefined. V8 itself looks at no more than the code's
 * length, its own version without Node's patches, and its flags.
 */
function readKept(file, code) {
  try {
    const kept = readFileSync(`${file}.compiled`);
    if (!kept.subarray(0, HASH_BYTES).equals(hashOf(code))) return undefined;
    return kept.subarray(HASH_BYTES);
  } catch {
    return undefined;
  }
}

function compile(file, code, cachedData) {
  const parameters = 'exports, require, module, __filename, __dirname';
  const source = `(function (${parameters}) {${code.toString()}\n})`;
  return new Script(source, { filename: file, cachedData });
}

/** Runs a bundle as `require` would. */
exports.run = (file) => {
  const code = readFileSync(file);
  const bundle = compile(file, code, readKept(file, code)).runInThisContext();
  const module = { exports: {} };
  bundle(module.exports, require, module, file, path.dirname(file));
  for (const flag of FLAGS) setFlagsFromString(flag);
};

/** Keeps the compiled form of a bundle beside it. */
exports.keep = (file) => {
  const code = readFileSync(file);
  const compiled = compile(file, code).createCachedData();
  writeFileSync(`${file}.compiled`, Buffer.concat([hashOf(code), compiled]));
};
