import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../../src/base/errors.ts';
import { resolveSubject } from '../../conformance/subject.ts';
import { AgentRing } from './agent-ring.ts';
import { startBusyLoops } from '../busy.ts';
import { print, runCommand } from '../command.ts';
import { compileClient } from './client.ts';
import { HandRing } from './hand-ring.ts';
import { measure } from './measure.ts';
import { line, summary, type Row } from './report.ts';

const HELP = `npm run lab:data -- [options]

Counts the keys that can be read before, during and after a ring changes, on simulated VMs.
  --way coordinated|automatic|hand   who changes the ring; several times for several; default all
  --replica N                        REPLICA; default 0
  --keys N                           default 2000
  --runs N                           grows and shrinks per way; default 3
  --servers N                        before the grow; default 3
  --writer                           the same as --writers 1
  --writers N, --readers N           clients during every change
  --rate N                           operations a second of each of them; default 10
  --limit MS                         SetReceiveTimeout of the clients; default the library's own; not by hand
  --retry MS                         after a request that failed; default 50
  --busy N                           busy loops beside it
  --agent-yaml FILE                  more of the servers' agent.yaml
  --crash                            a crash and a return as well
  --keep                             leaves the logs of the VMs where they are
  --stand-ins                        even when the real programs are on PATH
`;

const WAYS = ['coordinated', 'automatic', 'hand'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      way: { type: 'string', multiple: true, default: [...WAYS] },
      replica: { type: 'string', default: '0' },
      keys: { type: 'string', default: '2000' },
      runs: { type: 'string', default: '3' },
      servers: { type: 'string', default: '3' },
      writer: { type: 'boolean', default: false },
      writers: { type: 'string', default: '0' },
      readers: { type: 'string', default: '0' },
      rate: { type: 'string', default: '10' },
      limit: { type: 'string', default: '0' },
      retry: { type: 'string', default: '50' },
      busy: { type: 'string', default: '0' },
      'agent-yaml': { type: 'string', default: '' },
      crash: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'stand-ins': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  if (Number(values.limit) !== 0 && values.way.includes('hand')) {
    throw new Error('clients of --way hand take no --limit: name the other ways');
  }
  const subject = resolveSubject(
    values['stand-ins'] ? {} : { ...process.env, K2HDKC_TEST_SUBJECT: 'real' },
  );
  print(`${subject.name}, chmpx ${subject.version}; ${values.keys} keys\n`);
  const programs = path.dirname(subject.program('chmpx'));
  const replica = Number(values.replica);
  const isReal = subject.name === 'real programs';
  const compiled = await mkdtemp(path.join(tmpdir(), 'k2hdkc-client-'));
  const program = isReal ? await compileClient(compiled) : null;
  const clients = { program, limitMs: Number(values.limit) };
  const more = values['agent-yaml'] === '' ? '' : await readFile(values['agent-yaml'], 'utf8');
  const endBusy = startBusyLoops(Number(values.busy));
  const rows: Row[] = [];
  for (const way of WAYS.filter((one) => values.way.includes(one))) {
    const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-data-'));
    const ring =
      way === 'hand'
        ? await HandRing.open(subject, directory, replica)
        : await AgentRing.open(directory, programs, {
            merge: way,
            replica,
            agentYaml: more,
            clients,
          });
    try {
      await measure(ring, way, values, (row) => {
        rows.push(row);
        print(`${line(row)}\n`);
      });
    } catch (error) {
      print(`${way}: ${messageOf(error)}; see ${directory}\n`);
      await ring.close();
      continue;
    }
    await ring.close();
    if (!values.keep) await rm(directory, { recursive: true, force: true });
  }
  await endBusy();
  await rm(compiled, { recursive: true });
  print(`\n${rows.map(line).join('\n')}\n${summary(rows)}\n`);
  return 0;
}

runCommand('lab:data', main);
