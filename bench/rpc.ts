import path from 'node:path';
import { parseArgs } from 'node:util';
import { Caller } from './caller.ts';
import { Consumers } from './consumers.ts';
import { agent, bareNode, echo, pythonGuest, type Guest } from './guests.ts';
import { onStage, type OnStage } from './on-stage.ts';
import { measureCalls, measureIdle, measureNode, measureStarts } from './phases.ts';
import { formatSection, writeSection } from './results-file.ts';
import { resultsSection } from './results.ts';

const HELP = `npm run bench:rpc -- [options]

Measures this agent beside the real Python trove guest on one RabbitMQ, called by the real oslo
client, and writes its part of bench/RESULTS.md.
  --starts N        how often each is started (default 11)
  --rounds N        rounds of calls (default 5)
  --idle SECONDS    how long nobody asks anything (default 60)
  --no-write        leaves bench/RESULTS.md alone
`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** What is measured; the two agents are prepared already, and nothing runs. */
interface Cast {
  detached: Guest;
  serving: Guest;
  python: Guest;
  echo: Guest;
  node: Guest;
}

async function prepareCast({ stage, programs, directory }: OnStage): Promise<Cast> {
  const found = {
    environment: programs.environment,
    folder: path.dirname(programs.program('chmpx')),
  };
  const detached = await stage.actor('detached');
  await detached.vm.startAgent();
  await stage.prepare({ ...detached, overrides: {} }, { clustered: false });
  await stage.trove.waitForStatus(detached.id, 'running');
  await detached.vm.endAgent('SIGTERM');
  const serving = await stage.actor('serving');
  await serving.vm.startAgent();
  await stage.prepare(serving, { clustered: false });
  await stage.trove.waitForStatus(serving.id, 'healthy');
  await serving.vm.endAgent('SIGTERM');
  const url = stage.broker.url(stage.vhost);
  return {
    detached: agent('k2hdkc-agent', detached, found),
    serving: agent('k2hdkc-agent, serving', serving, found),
    python: await pythonGuest(path.join(directory, 'python'), url),
    echo: echo(path.join(directory, 'echo'), url),
    node: bareNode(path.join(directory, 'node')),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      starts: { type: 'string', default: '11' },
      rounds: { type: 'string', default: '5' },
      idle: { type: 'string', default: '60' },
      'no-write': { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  await onStage(async (on) => {
    const { stage, directory } = on;
    say('preparing');
    const cast = await prepareCast(on);
    const { detached, serving, python, echo: least, node } = cast;
    const consumers = await Consumers.open(stage.broker.url(stage.vhost));
    const talking = [detached, python, least];
    for (const guest of talking) await consumers.makeQueue(guest);

    say('starting each several times');
    const starts = await measureStarts(talking, Number(values.starts), consumers);
    starts.set(node, await measureNode(directory, Number(values.starts)));

    say('calling');
    const trove = path.join(directory, 'stage/trove');
    const caller = await Caller.start(trove, path.join(trove, 'trove.conf'));
    const plan = { sequential: 500, callers: 16, rounds: Number(values.rounds), perRound: 800 };
    const calls = await measureCalls(talking, plan, { caller, consumers });
    await caller.stop();

    // What is published for the conductor still has its queue.
    await stage.trove.stop();
    say(`waiting for ${values.idle} s`);
    const all = [detached, serving, python, least, node];
    const idle = await measureIdle(all, Number(values.idle), directory);
    await consumers.close();

    const section = await formatSection(resultsSection({ ...cast, starts, calls, idle, plan }));
    process.stdout.write(section);
    if (!values['no-write']) await writeSection(section);
  });
}

await main();
