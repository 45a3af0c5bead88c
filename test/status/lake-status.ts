/** The `status` of a lake in a folder, within this process. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { runStatus } from '../../src/status/status.ts';
import type { StatusReport } from '../../src/status/status-report.ts';
import { parseStatusSettings } from '../../src/status/status-settings.ts';
import type { Flags } from '../support/lab.ts';
import { silentProgress } from '../support/silent-progress.ts';

/** @param localNow of this machine; the report is never older than the newest run */
export async function statusOf(lake: string, flags: Flags = {}, localNow = 0): Promise<StatusReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'backup-copy-export-status-'));
  try {
    const settings = parseStatusSettings({
      flags: { lake, scratch, ...flags },
      env: {},
      cwd: scratch,
      temporaryFolder: tmpdir(),
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    return await runStatus(settings, {
      log: pino({ level: 'silent' }),
      progress: silentProgress,
      stopping: new AbortController().signal,
      localNow: () => localNow,
      user: () => 'auditor@desk',
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
