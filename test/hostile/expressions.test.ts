import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';

/** Letters of each hostile text. */
const LENGTH = 10_000;
/** So many times as long as an easy expression on the same text is slow; a square takes thousands. */
const SLOW = 300;

interface Expression {
  where: string;
  expression: RegExp;
}

/** Every expression in the source that is written out. */
function expressions(): Expression[] {
  const folder = path.join(projectRoot, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts')).flatMap((file) => inFile(folder, file));
}

function inFile(folder: string, file: string): Expression[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found: Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, pattern = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? [];
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push({ where: `src/${file}:${line + 1}`, expression: new RegExp(pattern, flags) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * Runs of single letters, of the words of an expression and of all its words; behind its first words
 * too, so that the run meets what comes after them.
 */
function* hostileTexts({ source }: RegExp): Generator<string> {
  const words = source
    .replaceAll(/\\[swdbSWDB]|\\[pP]\{[^}]*\}|(?<!\\)\[(?:\\.|[^\]])*\]/g, '.')
    .split(/(?<!\\)(?:\(\?[:=!<]*|[()|*+?^$.]|\{[\d,]*\})+/)
    .map((word) => word.replaceAll(/\\(.)/g, '$1'))
    .filter((word) => word !== '');
  const whole = [words.join(''), words.join('a'), words.join(' ')];
  const runs = new Set([...Array.from(' \t\n_([")\'%0a/=.,:\\'), ...words, ...whole]);
  const beginnings = words.map((_, at) => `${words.slice(0, at + 1).join('a')}a`);
  for (const run of runs) {
    if (run === '') continue;
    const long = run.repeat(Math.ceil(LENGTH / run.length));
    for (const beginning of ['', 'a', ...beginnings]) {
      yield `${beginning}${long}\u0001b`;
      yield `${beginning}${long}\n!`;
    }
  }
}

/** The first text on which an expression is slow. */
function slowOn(expression: RegExp): string | undefined {
  const global = new RegExp(expression.source, [...new Set(`${expression.flags}g`)].join(''));
  for (const text of hostileTexts(expression)) {
    const easy = shortest(() => text.replaceAll(/[^\n-~]/g, '-'));
    const used = shortest(() => text.replaceAll(global, '-'));
    if (used > SLOW * Math.max(easy, 0.01)) return text;
  }
  return undefined;
}

/** The shortest of three times (ms): what else this machine does then shows least. */
function shortest(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  });
  return Math.min(...times);
}

describe('an expression of the source', () => {
  const all = expressions();

  it('is found by this test', () => {
    expect(all.length).toBeGreaterThan(100);
  });

  it('takes about as long on a text that is made for it as on any other', () => {
    const slow = all.flatMap(({ where, expression }) => {
      const text = slowOn(expression);
      return text === undefined ? [] : [`${where} on ${JSON.stringify(text.slice(0, 60))}`];
    });
    expect(slow).toEqual([]);
  });

  // eslint-plugin-regexp sees the first and the third.
  it.each([
    /\s*[\r\n]+\s*/,
    /\btoken\([^)]*\)/,
    /\s*=\s*/,
    /x '([^']+)' y .*: z (.+) but (.*)/,
    /ERR\].*configuration/,
  ])('%s is found to be slow', (slow) => {
    expect(slowOn(slow)).toBeDefined();
  });
});
