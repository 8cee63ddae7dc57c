import { parseNodeStatus, type RingNode, type RingStatus } from '../../src/ring/status.ts';

/** The words of a server, without `SERVICE`, `UP`, `n/a`, `Nothing` and `NoSuspend`. */
export function server(name: string, words: string): RingNode {
  const has = (word: string): boolean => words.split(' ').includes(word);
  const operation = ['ADD', 'DELETE'].find(has) ?? 'n/a';
  const merge = ['Pending', 'Doing', 'Done'].find(has) ?? 'Nothing';
  const status = parseNodeStatus(
    `SAFE -> [SERVICE ${has('IN') ? 'IN' : 'OUT'}][${has('DOWN') ? 'DOWN' : 'UP'}]` +
      `[${operation}][${merge}][${has('Suspend') ? 'Suspend' : 'NoSuspend'}]`,
  );
  return { name, cuk: `cuk-${name}`, seed: `seed-${name}`, controlPort: 8021, ...status };
}

/** A ring of the servers a, b, c … with these words, as the one named `self` sees it. */
export function ring(self: string, ...words: string[]): RingStatus {
  const servers = words.map((text, at) => server('abcdefgh'.charAt(at), text));
  const own = servers.find(({ name }) => name === self) ?? server(self, 'OUT DOWN');
  const operating = servers.some(({ merge }) => merge === 'Doing' || merge === 'Done');
  return { chmpxPid: 7, group: 'ring', self: own, servers, slaves: [], operating };
}
