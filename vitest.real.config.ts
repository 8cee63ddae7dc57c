import { defineConfig } from 'vitest/config';

/** `npm run test:real`: the same statements, the node's story and a cluster's, on the real programs on PATH. */
export default defineConfig({
  test: {
    name: 'real',
    include: ['test/{conformance,story,real}/**/*.test.ts'],
    globalSetup: ['test/peers/global-setup.ts'],
    reporters: ['default', './test/conformance/reporter.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});
