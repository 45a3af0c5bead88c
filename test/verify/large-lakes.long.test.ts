import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { makeLake } from './made-lake.ts';

const run = promisify(execFile);

/** The peak of the process's memory in bytes, and its verdict. */
async function measured(lake: string): Promise<{ readonly peak: number; readonly verdict: unknown }> {
  const scratch = await mkdtemp(join(tmpdir(), 'backup-copy-export-large-'));
  const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  // Written at the end, from within: the peak of its whole life (docs of process.resourceUsage: maxRSS in kilobytes).
  const tell = `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'))`;
  try {
    const { stdout, stderr } = await run(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(tell)}`,
        cli,
        'verify',
        ...['--lake', lake, '--scratch', scratch, '--output', 'json', '--progress', 'off'],
      ],
      { maxBuffer: 1e8 },
    );
    const [, peak] = /^peak (\d+)$/m.exec(stderr) ?? [];
    return { peak: Number(peak) * 1024, verdict: JSON.parse(stdout) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

it('1,000 partitions are clean, and take at most 1.2 times the memory of 100', async () => {
  const [small, large] = [await makeLake(100, 100), await makeLake(1000, 100)];
  try {
    const [few, many] = [await measured(small.folder), await measured(large.folder)];
    expect(few.verdict).toMatchObject({ verdict: 'clean', checked: { parts: 100, rows: 10_000 } });
    expect(many.verdict).toMatchObject({
      ...{ verdict: 'clean', exit_code: 0, complete: true, findings: [], parts_in_lake: 1000 },
      checked: { parts: 1000, rows: 100_000, runs: 10, manifests: 10, watermarks: 1 },
    });
    expect(many.peak / few.peak).toBeLessThanOrEqual(1.2);
  } finally {
    await small.close();
    await large.close();
  }
}, 600_000);
