import { defineConfig } from 'vitest/config';
import { common, longFiles, peerFiles, sharedWorkers, testFiles } from './test/suites.ts';

/** npm test: every test but the long ones and those against peers. */
export default defineConfig({
  test: {
    ...common,
    ...sharedWorkers,
    // One more than cores: many tests wait, for a time-out, a retry or another process.
    maxWorkers: 3,
    include: [testFiles],
    exclude: [longFiles, peerFiles],
    globalSetup: ['test/support/left-out.ts'],
  },
});
