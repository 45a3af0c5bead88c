/**
 * Headless Chromium: the one on this machine, or Debian's package, which is installed at the first call. CHROMIUM names
 * another program.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const names = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
];
const debianPackage = 'chromium-headless-shell';

export async function openChromium(): Promise<Browser> {
  const program = process.env.CHROMIUM ?? (await found()) ?? (await installed());
  // Without a sandbox, because Chromium has none for root. It opens only files that the test has written.
  return await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
}

async function found(): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  return null;
}

async function installed(): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = async (...words: readonly string[]) => {
    const [program = '', ...args] = [...asRoot, 'apt-get', '-q', ...words];
    await run(program, args, { env, timeout: 10 * 60_000, maxBuffer: 64 * 2 ** 20 });
  };
  try {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', debianPackage, 'fonts-dejavu-core');
  } catch (cause) {
    throw new Error(
      `Chromium is missing, and ${debianPackage} could not be installed with apt-get. Install Chromium, or set CHROMIUM to its path.`,
      { cause },
    );
  }
  const program = await found();
  if (program === null)
    throw new Error(`${debianPackage} is installed, but none of ${names.join(', ')} is on the PATH`);
  return program;
}
