// Runs the tests that record how long a recovery took, and writes docs/faults.md from that.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const tests = path.join(root, 'test/integration');
const files = readdirSync(tests)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => path.join(tests, name))
  .filter((file) => /recordFault|SessionLab/.test(readFileSync(file, 'utf8')));

const directory = mkdtempSync(path.join(tmpdir(), 'k2hdkc-record-'));
const records = path.join(directory, 'faults.jsonl');
try {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'integration', '--no-file-parallelism', ...files],
    { cwd: root, stdio: 'inherit', env: { ...process.env, K2HDKC_RECORD_FAULTS: records } },
  );
  if (status !== 0) throw new Error('docs/faults.md is not written: a test failed');
  writeFileSync(path.join(root, 'docs/faults.md'), page(readFileSync(records, 'utf8')));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function page(lines) {
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ fault, from, until, milliseconds }) => [
      fault,
      from,
      until,
      milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`,
    ]);
  const table = aligned([['Fault', 'Measured from', 'Until', 'Time'], ...rows]);
  return `# Faults, and how long recovering takes

Made by \`node scripts/faults.mjs\` from one run of the named fault tests on a real RabbitMQ; do not
edit. Each row is a test in \`test/integration/\` that makes the fault and checks that the session then
consumes and publishes, on one consumer, with its topology declared again. A broker that was away is
found at the next attempt: up to 5 s later, and up to 30 s when it was away for more than five minutes.

${table}
After any of them the session consumes within a second of its first connection. What it does between
two attempts is in [broker.md](broker.md).
`;
}

/** A Markdown table as prettier writes it. */
function aligned([head, ...rows]) {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)));
  const line = (cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}
