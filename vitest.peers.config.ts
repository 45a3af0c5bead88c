import { defineConfig } from 'vitest/config';
import { common, peerFiles, sharedWorkers } from './test/suites.ts';

/** npm run test:peers: against real servers and readers, one file after the other. */
export default defineConfig({
  test: {
    ...common,
    ...sharedWorkers,
    include: [peerFiles],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    maxWorkers: 1,
  },
});
