import { describe, expect, it } from 'vitest';
import { Hazards, type HazardChances } from './antpickax/hazards.ts';

const none: HazardChances = {
  hang: 0,
  unfinished: 0,
  unfinishedReturn: 0,
  unfinishedLeave: 0,
  together: 0,
  early: 0,
  lostAnswer: 0,
};

function lives(chances: HazardChances, seed: number): boolean[] {
  return Array.from({ length: 1000 }, (_, life) =>
    new Hazards(chances, seed, life + 1).strikes('hang', 2),
  );
}

describe('bad luck of the stand-ins', () => {
  it('is the same for the same seed, and another for another', () => {
    const chances = { ...none, hang: 0.5 };
    expect(lives(chances, 7)).toEqual(lives(chances, 7));
    expect(lives(chances, 7)).not.toEqual(lives(chances, 8));
  });

  it('strikes as often as asked', () => {
    const struck = (hang: number): number => lives({ ...none, hang }, 1).filter(Boolean).length;
    expect(struck(0)).toBe(0);
    expect(struck(1)).toBe(1000);
    expect(struck(0.2)).toBeGreaterThan(150);
    expect(struck(0.2)).toBeLessThan(250);
  });

  it('stays with a node for a life, and is drawn again for the next', () => {
    const chances = { ...none, hang: 0.5 };
    const hazards = new Hazards(chances, 1, 1);
    expect(hazards.strikes('hang', 0)).toBe(hazards.strikes('hang', 0));
    expect(new Set(lives(chances, 1)).size).toBe(2);
  });
});
