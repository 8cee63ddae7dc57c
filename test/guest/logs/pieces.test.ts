import { expect, it } from 'vitest';
import { Secrets } from '../../../src/base/secrets.ts';
import { piecesOf, type Piece, type PieceParts } from '../../../src/guest/logs/pieces.ts';
import type { LogLine } from '../../../src/guest/logs/log-source.ts';
import { linesOf, md5Of, positionAt } from './lines.ts';

async function pieces(
  lines: AsyncIterable<LogLine>,
  change: Partial<PieceParts> = {},
): Promise<Piece[]> {
  const all: Piece[] = [];
  const how = { secrets: new Secrets(), limitBytes: 10, firstSource: null, ...change };
  for await (const piece of piecesOf(lines, how)) all.push(piece);
  return all;
}
const bodies = (all: readonly Piece[]): string[] => all.map(({ body }) => body.toString());

it('are whole lines, as many as fit', async () => {
  const all = await pieces(linesOf('1234\n', '5678\n', 'a\n', 'longer than a piece\n', 'b\n'));
  expect(bodies(all)).toEqual(['1234\n5678\n', 'a\n', 'longer than a piece\n', 'b\n']);
  expect(all[0]).toMatchObject({ lines: 2, source: 10, after: positionAt(10) });
  expect(all[0]?.firstLine).toBe(md5Of('1234\n'));
});

it('of nothing are none', async () => {
  expect(await pieces(linesOf())).toEqual([]);
});

it('have no secret, and stand for the bytes of the log all the same', async () => {
  const secrets = new Secrets();
  secrets.add('job', 'a-secret-token');
  const [piece] = await pieces(linesOf('x a-secret-token y\n'), { secrets, limitBytes: 100 });
  expect(piece?.body.toString()).toBe('x [secret] y\n');
  expect(piece?.source).toBe(19);
});

it('find a secret in bytes that are no text', async () => {
  const secrets = new Secrets();
  secrets.add('job', 'Geheimnis-ä');
  const line = Buffer.concat([Buffer.from([0xff]), Buffer.from('Geheimnis-ä'), Buffer.from('\n')]);
  const [piece] = await pieces(linesOf(line.toString('latin1')), { secrets, limitBytes: 100 });
  expect(piece?.body.toString()).toBe(String.raw`\xff[secret]` + '\n');
});

it('begin with one that stands for as much as was being sent before', async () => {
  const all = await pieces(linesOf('1\n', '2\n', '3\n', '4\n'), { firstSource: 6 });
  expect(bodies(all)).toEqual(['1\n2\n3\n', '4\n']);
});

it('count the lines of an entry that has several', async () => {
  const [piece] = await pieces(linesOf('a\nb\n', 'c\n'));
  expect(piece?.lines).toBe(3);
});
