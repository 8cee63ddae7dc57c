import { testSeeds } from './protocol/seeds.ts';

testSeeds(5_001, 5_000);
