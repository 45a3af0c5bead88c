/**
 * Python peers: programs nobody here wrote (cfn-lint, boto3, moto, pyarrow, …) in one virtual environment,
 * made from requirements.txt at the first call on a machine. Needs Python 3.11 or later with venv.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(import.meta.dirname, '../../node_modules/.cache/peers');

/**
 * The environment's `bin` folder: python, cfn-lint, aws, moto_server, …
 * Tests side by side may all call it; one of them makes it.
 */
export async function pythonPeers(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, `venv-${hash}`);
  // Written last: an environment without it was left half made.
  const complete = join(folder, 'complete');
  for (;;) {
    if (await exists(complete)) return join(folder, 'bin');
    const release = await lock(`${folder}.lock`);
    if (release === null) continue;
    try {
      if (await exists(complete)) continue;
      await rm(folder, { recursive: true, force: true });
      await run('python3', ['-m', 'venv', folder]);
      await run(
        join(folder, 'bin/python'),
        ['-m', 'pip', 'install', '--quiet', '--no-compile', '-r', requirements],
        {
          timeout: 15 * 60_000,
        },
      );
      await writeFile(complete, '');
    } finally {
      await release();
    }
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Takes the lock, or waits a moment for its holder; a holder that died has its lock taken away. */
async function lock(folder: string): Promise<(() => Promise<void>) | null> {
  await mkdir(cache, { recursive: true });
  try {
    await mkdir(folder);
  } catch {
    const holder = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => Number.NaN));
    await wait(500);
    if (Number.isInteger(holder) && !isAlive(holder)) await rm(folder, { recursive: true, force: true });
    return null;
  }
  await writeFile(join(folder, 'pid'), String(process.pid));
  return () => rm(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
