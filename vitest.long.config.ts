import { defineConfig } from 'vitest/config';
import { common, longFiles, peerFiles, sharedWorkers } from './test/suites.ts';

/** npm run test:long */
export default defineConfig({
  test: { ...common, ...sharedWorkers, include: [longFiles], exclude: [peerFiles] },
});
