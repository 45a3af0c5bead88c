/** Says at the end of `npm test` which suites it is not. */
import { globSync } from 'node:fs';
import { longFiles, peerFiles } from '../suites.ts';

export function teardown(): void {
  const count = (pattern: string) => globSync(pattern).length;
  console.log(
    `Not run here: \`npm run test:long\` runs ${count(longFiles)} more files (long cases), ` +
      `\`npm run test:peers\` ${count(peerFiles)} more (real servers and readers).`,
  );
}
