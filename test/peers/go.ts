/**
 * Programs that nobody here wrote, built with Go and kept in node_modules/.cache/peers. Compiled without optimization and
 * without debug information, which takes the compiler about half the time; all with the same flags, so that they share what
 * is compiled of the standard library.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const binaries = join(import.meta.dirname, '../../node_modules/.cache/peers/bin');
const flags = ['-gcflags=all=-N -l -dwarf=false', '-ldflags=-s -w'];

/** Pinned: what is proven about a peer is proven about a version. */
export interface PublishedCommand {
  readonly module: string;
  readonly version: string;
  readonly name: string;
}

/** The path of a command as it is published. */
export async function goCommand({ module, version, name }: PublishedCommand): Promise<string> {
  return await built(`${name}-${version}`, name, () => ['install', ...flags, `${module}@${version}`]);
}

/** The path of a program made of published packages: of a folder with main.go, go.mod and go.sum. */
export async function goProgram(folder: string, name: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(folder)).sort()) hash.update(await readFile(join(folder, file)));
  const words = (building: string) => ['build', '-C', folder, '-o', join(building, name), ...flags];
  return await built(`${name}-${hash.digest('hex').slice(0, 12)}`, name, words);
}

/** The binary's path; built at the first call on a machine. Tests side by side may both build it. */
async function built(
  name: string,
  program: string,
  words: (building: string) => readonly string[],
): Promise<string> {
  const binary = join(binaries, name);
  if (await isThere(binary)) return binary;
  await mkdir(binaries, { recursive: true });
  const building = await mkdtemp(join(binaries, 'building-'));
  try {
    await promisify(execFile)('go', [...words(building)], {
      env: { ...process.env, GOBIN: building },
      timeout: 25 * 60_000,
    });
    // In place only when whole; whoever comes second puts the same there.
    await rename(join(building, program), binary);
    return binary;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
