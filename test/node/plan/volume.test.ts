import { describe, it } from 'vitest';
import { nothingRuns, observed } from '../builders.ts';
import { check, noRegistration, type Row } from './rows.ts';

describe('the data volume', () => {
  const missing = (retryInMs: number) => ({
    volumeMounted: false,
    volumeProblem: 'no such device',
    volumeRetryInMs: retryInMs,
  });
  it.each<Row>([
    ['is not mounted', noRegistration, nothingRuns(missing(0)), 'mount-volume'],
    [
      'cannot be mounted',
      {},
      nothingRuns(missing(700)),
      { wait: 700 },
      'mounting the data volume (no such device)',
    ],
    ['is gone when k2hdkc crashes', {}, observed({ ...missing(0), k2hdkc: null }), 'mount-volume'],
    ['is gone under programs that run', {}, observed(missing(0)), 'rest'],
    ['is not needed to stop', { stopped: { bootId: null } }, observed(missing(0)), 'stop-k2hdkc'],
  ])('%s', (...row) => {
    check(row);
  });
});
