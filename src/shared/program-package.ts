/** What package.json says about the program. Must run on any Node, so it imports nothing from the program. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ProgramPackage {
  readonly version: string;
  /** The oldest Node that can run the program: `22.15` */
  readonly requiredNode: string;
}

/** The folder that contains package.json and `queries`: one above the sources, and two above the build. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export function programPackage(): ProgramPackage {
  const { version, engines }: { version?: unknown; engines?: { node?: unknown } } = JSON.parse(
    readFileSync(join(packageFolder(), 'package.json'), 'utf8'),
  );
  if (typeof version !== 'string') throw new Error('package.json has no version');
  const [, requiredNode] = /^>=(\d+\.\d+)$/.exec(String(engines?.node)) ?? [];
  if (requiredNode === undefined) throw new Error('engines.node in package.json is not of the form >=22.15');
  return { version, requiredNode };
}

/** Why this Node cannot run the program, and what to do; null: it can. Versions look like `22.15.0`. */
export function nodeProblem(found: string, required: string): string | null {
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = required.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `The program needs Node ${required} or later, and this is Node ${found} (${process.execPath}). Install a newer Node, for example 24, and run the program with it.`;
}
