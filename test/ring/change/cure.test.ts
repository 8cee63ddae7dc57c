import { expect, it } from 'vitest';
import { Cure } from '../../../src/ring/change/cure.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { ring } from '../rings.ts';
import { sightOf } from '../sight-of.ts';

function bench(words: string | null) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const sight = sightOf(
    () => Promise.resolve(words === null ? null : ring('a', words, 'IN')),
    clock,
  );
  const send = ({ command, at }: { command: string; at: { name: string } }): Promise<void> => {
    sent.push(`${command} ${at.name}`);
    return Promise.resolve();
  };
  return { clock, sent, cure: new Cure({ sight, send, clock }) };
}

it('sends the command to this node itself, and remembers when', async () => {
  const { clock, sent, cure } = bench('OUT');
  expect(cure.sentMs).toBeNull();
  await cure.send('SERVICEIN');
  await clock.advance(700);
  expect(sent).toEqual(['SERVICEIN a']);
  expect(cure.sentMs).toBe(700);
  cure.forget();
  expect(cure.sentMs).toBeNull();
});

it('sends nothing while the ring cannot be seen', async () => {
  const { sent, cure } = bench(null);
  await cure.send('COMPMERGE');
  expect(sent).toEqual([]);
  expect(cure.sentMs).toBeNull();
});
