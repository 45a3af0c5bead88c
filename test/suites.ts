/** How the tests are cut into suites: by their names and places, so that a new file is in one without being listed. */
import { join } from 'node:path';
import type { ViteUserConfig } from 'vitest/config';

/** Every test is in such a file. */
export const testFiles = 'test/**/*.test.ts';

/** Many nights, many histories, every moment of a kill: `npm run test:long`. */
export const longFiles = 'test/**/*.long.test.ts';

/** Real servers and readers: `npm run test:peers`. */
export const peerFiles = 'test/peers/**/*.test.ts';

/**
 * Node keeps what it has compiled: of the program, which many tests start, and of the packages that every worker loads. The
 * workers inherit it from this process: a test's own environment would come too late for them.
 * nodejs.org/api/module.html#module-compile-cache
 */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../.cache/compiled');

export const common: NonNullable<ViteUserConfig['test']> = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  maxWorkers: 2,
  env: { TZ: 'Asia/Kathmandu' },
};

/** A worker runs many files, with what it has loaded and compiled for the first. See docs/decisions.md. */
export const sharedWorkers: NonNullable<ViteUserConfig['test']> = {
  isolate: false,
  setupFiles: ['test/support/left-behind.ts'],
  // Node loads the tests as it loads the program: it strips the types, and nothing is transformed.
  experimental: { viteModuleRunner: false, nodeLoader: false },
};
