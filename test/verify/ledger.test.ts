/** Which run ended before which, as `verify` sees it from the records of the runs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import {
  type Manifest,
  manifestHeads,
  newRunId,
  type WrittenPart,
  writeBegin,
  writeManifest,
} from '../../src/ledger/runs.ts';
import { readLedger } from '../../src/verify/ledger.ts';

const hour = 3_600_000;
const night = Date.UTC(2026, 10, 20, 2);
const iso = (time: number) => new Date(time).toISOString();
const signal = new AbortController().signal;
const part = 'copy_jobs/creation_date=2026-11-19/part-00000.parquet';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-verify-ledger-'));
  store = await openLocalStore({ folder, create: true });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A run with a deadline of an hour. What it gives closes the run, which wrote the part with this content. */
async function begin(asOf: number, began: number) {
  const runId = newRunId(asOf, began);
  const record = await writeBegin(store, {
    format: 1,
    run_id: runId,
    as_of: iso(asOf),
    started_at: iso(began),
    ends_by: iso(began + hour),
    program_version: '0.0.0-test',
    buckets: 1,
    caller: { account_id: '', arn: '' },
    settings: { deadlineMs: hour },
    plan: [],
  });
  return async (sha256: string, previous?: Manifest['previous']) => {
    const wrote: WrittenPart = {
      key: part,
      rows: 1,
      bytes: 1,
      sha256,
      etag_before: null,
      etag_after: sha256,
    };
    await writeManifest(store, {
      format: 1,
      run_id: runId,
      as_of: iso(asOf),
      ended_at: iso(began + 1),
      program_version: '0.0.0-test',
      previous: previous ?? (await manifestHeads(store)),
      parts: [wrote],
      coverage: { key: 'x', rows: 0, sha256: 'x' },
      reconciliation: null,
      rejected: null,
      begin: record,
      totals: {},
      exit_code: 0,
    });
  };
}

const read = () => readLedger({ store, witnessed: new Map(), histories: new Set(), signal });

it('a shard that began hours after its night may have written last, and need not be named by runs in between', async () => {
  const other = await begin(night + 8 * hour, night + 8 * hour);
  await other('b'.repeat(64));
  const late = await begin(night, night + 10 * hour);
  await late('a'.repeat(64));
  const { findings, expected } = await read();
  expect(findings).toEqual([]);
  const writes = expected.get(part)?.writes ?? [];
  expect(writes.map(({ sha256 }) => sha256).sort()).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
});

it('a run that had ended when another began did not write last, and has to be named', async () => {
  await (await begin(night, night))('a'.repeat(64));
  await (await begin(night + 8 * hour, night + 8 * hour))('b'.repeat(64), []);
  const { findings, expected } = await read();
  expect(findings).toMatchObject([{ kind: 'manifest-unchained' }]);
  expect(expected.get(part)?.writes.map(({ sha256 }) => sha256)).toEqual(['b'.repeat(64)]);
});
