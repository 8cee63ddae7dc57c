import { defineConfig } from 'vitest/config';

/** `npm run test:boot`: the image that Packer builds, booted. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'boot',
          include: ['test/boot/**/*.test.ts'],
          globalSetup: ['test/peers/global-setup.ts'],
        },
      },
    ],
  },
});
