import { defineConfig } from 'vitest/config';
import { common, longFiles, peerFiles, testFiles } from './test/suites.ts';

/** npm test: every test but the long ones and those against peers. */
export default defineConfig({
  test: {
    ...common,
    include: [testFiles],
    exclude: [longFiles, peerFiles],
    globalSetup: ['test/support/left-out.ts'],
  },
});
