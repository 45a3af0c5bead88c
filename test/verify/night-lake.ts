/** A lake of a few real nights, made once and copied for each case; and `verify` over a copy. */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { runVerify } from '../../src/verify/verify.ts';
import type { VerifyReport } from '../../src/verify/verify-report.ts';
import { parseVerifySettings } from '../../src/verify/verify-settings.ts';
import { type KeyFiles, makeKey } from '../checkpoints/signed-lake.ts';
import { type Flags, openLab } from '../support/lab.ts';
import { silentProgress } from '../support/silent-progress.ts';

const dayMs = 86_400_000;

export interface NightLake {
  /** A fresh copy of the lake as it was after this night, from 1 on; default: the last. */
  readonly copy: (night?: number) => Promise<string>;
  /** The key that signed its checkpoints, and the folder of its witness. */
  readonly key: KeyFiles;
  readonly witness: string;
  readonly close: () => Promise<void>;
}

const allNights = 3;

/** Three nights over two buckets, with signed checkpoints and a witness; in the second, a record is rejected. */
export async function makeNightLake(): Promise<NightLake> {
  const parent = await mkdtemp(join(tmpdir(), 'backup-copy-export-verify-'));
  const after = (night: number) => join(parent, `night-${night}`);
  const key = await makeKey(parent, 'key');
  const witness = join(parent, 'witness');
  const lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 8, days: 2 });
  try {
    for (let night = 1; night <= allNights; night += 1) {
      if (night > 1) await lab.simulator.advance(dayMs);
      if (night === 2) lab.simulator.addFaults([{ kind: 'bad-date', api: 'ListCopyJobs', count: 1 }]);
      // After the first night, no target has its night of a full read.
      const flags = { 'signing-key': key.privateFile, witness, 'full-every': '3650d' };
      await lab.run(night === 1 ? { ...flags, buckets: '2' } : flags);
      lab.simulator.clearFaults();
      await cp(lab.lake, after(night), { recursive: true });
    }
  } finally {
    await lab.close();
  }
  let copies = 0;
  return {
    copy: async (night = allNights) => {
      copies += 1;
      const folder = join(parent, `copy-${copies}`);
      await cp(after(night), folder, { recursive: true });
      return folder;
    },
    key,
    witness,
    close: () => rm(parent, { recursive: true, force: true }),
  };
}

/**
 * @param flags besides the lake; by their names without dashes
 * @param now the clock of the process
 */
export async function verified(
  lake: string,
  flags: Flags = {},
  now: () => number = Date.now,
): Promise<VerifyReport> {
  const scratch = await mkdtemp(join(tmpdir(), 'backup-copy-export-verify-scratch-'));
  try {
    const settings = parseVerifySettings({
      flags: { lake, scratch, ...flags },
      env: {},
      cwd: scratch,
      temporaryFolder: tmpdir(),
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    return await runVerify(settings, {
      log: pino({ level: 'silent' }),
      progress: silentProgress,
      stopping: new AbortController().signal,
      programVersion: '0.0.0-test',
      now,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The findings as `kind key`, in the report's order. */
export function told({ findings }: VerifyReport): readonly string[] {
  return findings.map(({ kind, key }) => `${kind} ${key}`);
}
