import { defineConfig } from 'vitest/config';
import { common, longFiles, peerFiles } from './test/suites.ts';

/** npm run test:long */
export default defineConfig({
  test: { ...common, include: [longFiles], exclude: [peerFiles] },
});
