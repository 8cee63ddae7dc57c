import { spawn, type ChildProcess } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { projectRoot } from '../../helpers/project-root.ts';
import { freePorts } from '../free-ports.ts';
import { Asked, endOf } from '../child-end.ts';
import { identify, killTrees } from '../processes.ts';

/** Where the package swift_peer is, also when this file is part of a bundle in dist/. */
const PYTHON_PATH = path.join(projectRoot, 'test/peers/swift');

/** What a cluster is made of. */
export interface LaunchPlan {
  /** The key of each project's user `trove`. */
  projects: Record<string, string>;
  /** The largest object that is taken, in bytes: max_file_size of swift.conf. */
  maxFileSize: number;
  /** Entries of a page of a list: container_listing_limit. */
  listingLimit: number;
  /** max_manifest_segments and min_segment_size of the filter slo; null leaves the filter out. */
  slo: { segments: number; leastBytes: number } | null;
}

/** A cluster that runs. */
export interface Launched {
  /** The proxy's, on 127.0.0.1 as everything else. */
  port: number;
  /** Holds all its files. */
  directory: string;
  /** The launcher; the daemons are its children. */
  pid: number;
  /** Ends it and removes its files. Rejects when it had ended by itself. */
  stop: () => Promise<void>;
}

const Line = v.variant('event', [
  v.object({ event: v.literal('passed-over'), base: v.string(), why: v.string() }),
  v.object({ event: v.literal('ready'), directory: v.string(), daemons: v.array(v.number()) }),
]);

/**
 * Starts Swift's daemons; about 2 s. They end, and their files go, when the standard input of their
 * launcher ends, however this process ends. They have a session of their own, so that a Ctrl-C in
 * the terminal reaches only us.
 */
export async function launchSwift(plan: LaunchPlan): Promise<Launched> {
  const [account, container, object, proxy] = (await freePorts(4)) as Four;
  const bases = [...new Set([tmpdir(), '/var/tmp', homedir(), '/dev/shm'])];
  const ports = { account, container, object, proxy };
  const args = ['-m', 'swift_peer', JSON.stringify({ ...plan, bases, ports })];
  const launcher = spawn('/usr/bin/python3', args, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', PYTHONPATH: PYTHON_PATH, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let complaints = '';
  launcher.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000);
  });
  const { pid } = launcher;
  if (pid === undefined) throw new Error('/usr/bin/python3 cannot be started');
  for await (const text of createInterface({ input: launcher.stdout })) {
    const line = v.parse(Line, JSON.parse(text));
    if (line.event === 'ready') {
      letGo(launcher);
      const asked = new Asked();
      void endOf(launcher).then(() => {
        asked.end(new Error(`Swift ended; it said last:\n${complaints}`));
      });
      const end = (): Promise<void> => asked.stop(() => stop(launcher));
      return { port: proxy, directory: line.directory, pid, stop: end };
    }
    process.stderr.write(`swift peer: not in ${line.base}: ${line.why}\n`);
  }
  throw new Error(`Swift did not start: ${complaints}`);
}

type Four = [number, number, number, number];

/** A cluster that nobody stops does not keep this process alive. */
function letGo(launcher: ChildProcess): void {
  launcher.unref();
  for (const stream of launcher.stdio) (stream as { unref?: () => void } | null)?.unref?.();
}

async function stop(launcher: ChildProcess): Promise<void> {
  if (launcher.exitCode !== null || launcher.signalCode !== null) return;
  const identity = launcher.pid === undefined ? undefined : identify(launcher.pid);
  const ended = endOf(launcher);
  launcher.ref();
  launcher.stdin?.end();
  const late = setTimeout(() => void (identity && killTrees([identity])), 20_000);
  await ended;
  clearTimeout(late);
}
