/** The program as it is shipped: compiled, so that no run pays for reading TypeScript. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** dist/src/cli.js, compiled again if a source is newer. */
export function builtProgram(): string {
  const built = join(root, 'dist/src/cli.js');
  const sources = globSync(['src/**/*.ts', 'jobs/*.ts', 'package.json'], { cwd: root });
  const newest = Math.max(...sources.map((file) => statSync(join(root, file)).mtimeMs));
  if (!existsSync(built) || statSync(built).mtimeMs < newest) {
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error('the program cannot be built: npm run build says why');
  }
  return built;
}

/** The machine, in one line. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
