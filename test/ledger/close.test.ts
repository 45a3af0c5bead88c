import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Engine } from '../../src/lake/engines/engine.ts';
import type { Lake } from '../../src/lake/lake.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { closeLedger, type LedgerEnd } from '../../src/ledger/close.ts';
import { RejectedRecords } from '../../src/ledger/rejected.ts';
import { abortable, DeadlineReached } from '../../src/shared/abort.ts';
import { LakeError } from '../../src/shared/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-close-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What closing a ledger without rejected records calls. */
function endWith(put: Store['put'], signal: AbortSignal): LedgerEnd {
  const store = {
    url: 's3://bucket/lake',
    put,
    list: async function* () {},
  } as Partial<Store> as Store;
  const lake = { store, buckets: 1, isNew: false } as Partial<Lake> as Lake;
  const engine = {
    merge: ({ output }: { output: string }) => writeFile(output, 'parquet'),
  } as unknown as Engine;
  return {
    lake,
    engine,
    scratchFolder: folder,
    run: {
      runId: 'run',
      asOf: 0,
      programVersion: '1',
      exitCode: 0,
      memoryDays: 35,
      countMemoryDays: 14,
      now: () => 0,
    },
    begin: { key: '_ledger/runs/begin.json', bytes: 1, sha256: '' },
    parts: [],
    coverage: [],
    reconciliation: [],
    openDays: new Map(),
    rejected: new RejectedRecords(folder),
    totals: {},
    signal,
  };
}

it('gives up closing the ledger when the store never answers, and says what that makes of the run', async () => {
  const time = new AbortController();
  const asked: string[] = [];
  const put: Store['put'] = async ({ key }, signal) => {
    asked.push(key);
    queueMicrotask(() => time.abort(new DeadlineReached()));
    return await abortable(Promise.withResolvers<never>().promise, signal);
  };
  const error: unknown = await closeLedger(endWith(put, time.signal)).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LakeError);
  expect(String(error)).toMatch(
    /run shows as unfinished.*deadline of the run was reached before the store responded/,
  );
  expect(asked).toEqual([expect.stringMatching(/^export_coverage\//)]);
});

it('writes coverage while the lake is still being compared, and the manifest with what comes of that', async () => {
  const written = new Map<string, string>();
  const put: Store['put'] = async ({ key, body }) => {
    written.set(key, 'bytes' in body ? Buffer.from(body.bytes).toString() : '');
    return { written: true, etag: '', size: 0 };
  };
  const exitCode = Promise.withResolvers<number>();
  const end = endWith(put, new AbortController().signal);
  const compared = exitCode.promise.then(() => []);
  let now = 1000;
  const closed = closeLedger({
    ...end,
    run: { ...end.run, exitCode: exitCode.promise, now: () => now },
    reconciliation: compared,
  });
  await vi.waitFor(() => expect([...written.keys()]).toEqual([expect.stringMatching(/^export_coverage\//)]));
  now = Date.UTC(2026, 10, 20, 3);
  exitCode.resolve(76);
  const { manifest } = await closed;
  expect(JSON.parse(written.get(manifest.key) ?? '')).toMatchObject({
    exit_code: 76,
    reconciliation: null,
    // AWS's time when the comparison had ended.
    ended_at: '2026-11-20T03:00:00.000Z',
  });
});
