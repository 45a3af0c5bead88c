/**
 * Checks that imports follow the order of folders that docs/design.md gives: a folder imports only itself and the
 * folders before it. The order is written there and nowhere else. Run: npm run imports
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** The first word of each line of the block that follows the marker. */
const [, block] =
  /<!-- folder order -->\n+```text\n([^`]+)```/.exec(
    readFileSync(join(__dirname, 'docs', 'design.md'), 'utf8'),
  ) ?? [];
if (block === undefined) throw new Error('docs/design.md has no block of text behind <!-- folder order -->');
const order = block.split('\n').flatMap((line) => /^[a-z-]+/.exec(line)?.[0] ?? []);

const folder = (name) => `^src/${name}/`;

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Files that import each other in a circle cannot be understood one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-cli-is-loose',
      comment: 'Every file of src/ but cli.ts lies in a folder of the order.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: ['^src/cli\\.ts$', `^src/(${order.join('|')})/`] },
    },
    {
      name: 'nothing-imports-cli',
      comment: 'cli.ts is where the program begins; it runs when it is imported.',
      severity: 'error',
      from: {},
      to: { path: '^src/cli\\.ts$' },
    },
    {
      name: 'jobs-are-on-top',
      comment: 'Only cli.ts imports the jobs.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli\\.ts$' },
      to: { path: '^jobs/' },
    },
    {
      name: 'simulator-is-a-product-of-its-own',
      comment: 'Only its job imports the simulator: it stands in for AWS, and the program must not know it.',
      severity: 'error',
      from: { path: '^(src|jobs)/', pathNot: ['^src/simulator/', '^jobs/simulate\\.ts$'] },
      to: { path: folder('simulator') },
    },
    {
      name: 'sources-do-not-import-tests',
      severity: 'error',
      from: { path: '^(src|jobs)/' },
      to: { path: '^(test|scripts|bench|deploy)/' },
    },
    ...order.map((name, at) => ({
      name: `${name}-imports-only-lower-folders`,
      comment: `The order: ${order.join(' < ')}`,
      severity: 'error',
      from: { path: folder(name) },
      to: { path: '^src/', pathNot: order.slice(0, at + 1).map(folder) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // An import of a type is an import too.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
