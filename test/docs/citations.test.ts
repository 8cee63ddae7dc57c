import { describe, expect, it } from 'vitest';
import { citations, oldForms, ownReferences, sections } from './citations.ts';

describe('citations', () => {
  it('are found with their line, one for each section', () => {
    const text = 'a\n// x (docs/contracts/ring.md, 2.4, 3 and 5 to 7.1), then 9\n';
    expect(citations(text)).toEqual(
      ['2.4', '3', '5', '7.1'].map((section) => ({ document: 'ring.md', section, line: 2 })),
    );
  });

  it.each([
    ['/**\n * It is so (docs/contracts/ring.md,\n * 2.4).\n */', '2.4'],
    ['  // It is so (docs/contracts/ring.md,\n  // 2.4).', '2.4'],
    ['# It is so: docs/contracts/ring.md, 2.4', '2.4'],
    ['See docs/contracts/ring.md, which says more.', null],
  ])('are found across lines of comments: %j', (text, section) => {
    expect(citations(text)).toMatchObject([{ document: 'ring.md', section }]);
  });

  it.each([
    'the contract, section 8.11',
    '(k2hr3 contract, sections 0.4 and 8.2)',
    ' * (cluster-dynamics-matched contract, section\n * 5)',
    '(backup-swift contract, 3)',
    'as the chmpx-k2hdkc\n * contract says',
    '(contracts/k2hr3.md section 2.3)',
    'it is missing for a moment (section 2.4)',
  ])('of the old form are found: %j', (text) => {
    expect(oldForms(`first line\n${text}`)).toEqual([2]);
  });

  it.each([
    '(docs/contracts/k2hr3.md, 2.3)',
    '(specification, section 4.2)',
    'the contract of 2 parties',
  ])('of no old form are let alone: %j', (text) => {
    expect(oldForms(text)).toEqual([]);
  });
});

describe('a document', () => {
  const document = '# Ring\n\n## 1. One\n\nsee 1.2\n\n### 1.1 First\n\n#### 1.1.1 No\n\n## Two\n';

  it('has the sections that its numbered headings name', () => {
    expect(sections(document)).toEqual(['1', '1.1']);
  });

  it('refers to sections of its own', () => {
    expect(ownReferences(document)).toEqual([{ document: '', section: '1.2', line: 5 }]);
  });
});
