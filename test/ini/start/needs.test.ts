import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { ClusterModel } from '../../../src/ini/model/model.ts';
import { startNeeds } from '../../../src/ini/start/needs.ts';
import { parseRole } from '../../../src/ini/text/parse-role.ts';
import { projectRoot } from '../../helpers/project-root.ts';

/** The resource of K2HR3's stock template, from a capture. */
async function stockModel(change = (text: string): string => text): Promise<ClusterModel> {
  const file = path.join(projectRoot, 'test/fixtures/k2hr3/resource-of-capture-020.ini');
  const reading = parseRole(change(await readFile(file, 'utf8')));
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.model;
}

it('knows the sizes of the stock template’s files to the byte', async () => {
  const model = await stockModel();
  const [server] = model.servers;
  const { shared, data } = startNeeds(model, server?.cuk ?? '', '/shared');
  const base = `/shared/${model.global.group}-${model.global.selfControlPort}`;
  expect(shared).toEqual([
    { file: `${base}.chmpx`, bytes: 7_094_936 },
    { file: `${base}.k2h`, bytes: 136_175_616 },
  ]);
  expect(data?.bytes).toBe(298_905_600);
});

it('goes by what the ini says', async () => {
  const model = await stockModel((text) =>
    text
      .replace(/^(MAXMQCLIENT\s*)=.*$/m, '$1= 20')
      .replace(/^(K2HPAGESIZE\s*)=.*$/m, '$1= 128')
      .replaceAll(/^(K2HC?MASKBIT\s*)=.*$/gm, '$1= 4'),
  );
  const needs = startNeeds(model, model.servers[0]?.cuk ?? '', '/shared');
  expect(needs.ports).toEqual([model.servers[0]?.port, model.servers[0]?.controlPort]);
  expect(needs.queueMessages).toBe(8);
  expect(needs.queueMessagesUnprivileged).toBe(28);
  expect(needs.data?.bytes).toBe(57_344 + 93 * 4_096);
  expect(needs.shared[1]?.bytes).toBe(57_344 + 2_077 * 4_096);
});

it('asks for no data file when k2hdkc keeps its data in memory', async () => {
  const model = await stockModel((text) => text.replace(/^(K2HTYPE\s*)=.*$/m, '$1= mem'));
  expect(startNeeds(model, model.servers[0]?.cuk ?? '', '/shared').data).toBeNull();
});
