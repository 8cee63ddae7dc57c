import { defineConfig } from 'vitest/config';

/**
 * A safety net for a test that hangs, no statement about how long it takes: wider than the limit of
 * `until`, which says what did not come.
 */
const patience = {
  testTimeout: 180_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
};

export default defineConfig({
  test: {
    reporters: ['default', './test/conformance/reporter.ts'],
    // Most tests wait for other processes most of the time: two files at a time, also on two cores.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/integration/**',
            'test/conformance/**',
            'test/story/**',
            'test/package/{install,packer,release,rpm}.test.ts',
            'test/boot/**',
            'test/real/**',
            'test/hostile/built/**',
            'test/field/built/**',
          ],
          ...patience,
        },
      },
      {
        test: {
          name: 'integration',
          include: [
            'test/{integration,conformance,story,hostile/built,field/built}/**/*.test.ts',
            'test/package/{install,packer,release,rpm}.test.ts',
          ],
          globalSetup: ['test/peers/global-setup.ts'],
          ...patience,
        },
      },
    ],
  },
});
