import { defineConfig } from 'vitest/config';

/** `npm run test:real`: the same statements and the node's story, on the real programs on PATH. */
export default defineConfig({
  test: {
    name: 'real',
    include: ['test/conformance/**/*.test.ts', 'test/story/**/*.test.ts'],
    globalSetup: ['test/peers/global-setup.ts'],
    reporters: ['default', './test/conformance/reporter.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});
