/** Checks the files of the ledger besides manifests. */

import { createHash, hash } from 'node:crypto';
import pLimit from 'p-limit';
import { beingRebucketed, parseRecord } from '../lake/lake-record.ts';
import {
  beginKey,
  isLedgerKey,
  lakeKey,
  ledgerPrefix,
  parseRejectedKey,
  parseWatermarksKey,
  rejectedPrefix,
  watermarksPrefix,
} from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { beginOf } from '../ledger/read-runs.ts';
import { readWatermarks, type Watermark } from '../ledger/watermarks.ts';
import { LakeError, LinkError, NewerLakeError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { count } from '../telemetry/paragraphs.ts';
import { bytesText } from './altered-objects.ts';
import type { KnownRun, Ledger } from './ledger.ts';
import type { Look } from './look.ts';
import { linkText } from './read-object.ts';

/**
 * The number of buckets of the lake. If `lake.json` cannot be believed, that of the newest run.
 * @throws NewerLakeError; LakeError if there is no lake, or nobody knows its buckets
 */
export async function checkLakeRecord(
  store: Pick<Store, 'read' | 'url'>,
  ledger: Ledger,
  look: Look,
  signal: AbortSignal,
): Promise<number> {
  const found = await store.read(lakeKey, signal);
  if (found === null) {
    if (ledger.buckets === null) {
      throw new LakeError(
        `There is no lake in ${store.url}: it has no ${lakeKey} and no runs`,
        'Check that --lake names the location that export writes to.',
      );
    }
    look.note(
      'lake-record-missing',
      lakeKey,
      `it is gone; the newest run knew ${count(ledger.buckets, 'bucket')}`,
    );
    return ledger.buckets;
  }
  try {
    const { record } = parseRecord(found.bytes, store.url, lakeTables);
    if (ledger.buckets === null || ledger.buckets === record.buckets) return record.buckets;
    const what = `it says ${count(record.buckets, 'bucket')}, and the newest run knew ${ledger.buckets}`;
    look.note('lake-record-changed', lakeKey, what);
  } catch (error) {
    if (!(error instanceof LakeError) || error instanceof NewerLakeError || ledger.buckets === null)
      throw error;
    const [, why = 'it is damaged'] = /is damaged: (.*?)\. Restore/.exec(error.message) ?? [];
    look.note('lake-record-changed', lakeKey, why);
  }
  return ledger.buckets;
}

/** Objects below `_ledger/` that this program does not write. Reads only names. */
export async function checkLedgerNames(
  store: Pick<Store, 'list'>,
  look: Look,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const key of store.list(ledgerPrefix, {}, signal)) {
      if (!isLedgerKey(key)) look.note('foreign-object', key, 'this program writes no such object');
    }
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    look.note('symbolic-link', ledgerPrefix, linkText(error));
  }
}

/** A begin record names every target, so a few of them may take as much memory as all parts that are read at once. */
const beginsAtOnce = 4;

/** Begin records: each is the one that its manifest names. Manifests of older programs name none; then it has to be its run's. */
export async function checkBeginRecords(
  store: Pick<Store, 'read'>,
  ledger: Ledger,
  look: Look,
  isAsked: (key: string, day: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const limit = pLimit({ concurrency: beginsAtOnce, rejectOnClear: true });
  const check = async (run: KnownRun): Promise<void> => {
    const key = beginKey(run.date, run.runId);
    const object = await store.read(key, signal);
    const expected = ledger.expected.get(key)?.writes.at(-1);
    const named = expected === undefined ? null : { sha256: expected.sha256, bytes: expected.bytes };
    const facts = { run_id: run.runId, expected: named };
    if (object === null) {
      look.contents.set(key, null);
      look.note('begin-record-missing', key, `it is gone, and the run ${run.runId} wrote it`, facts);
      return;
    }
    look.counts.beginRecords += 1;
    const sha256 = hash('sha256', object.bytes);
    if (named === null) {
      if (beginOf(run, object.bytes) !== null) return;
      look.note('begin-record-changed', key, 'it is not the begin record of this run', facts);
    } else if (sha256 !== named.sha256) {
      const what = `${bytesText(sha256)}, and the manifest of its run names ${named.sha256}`;
      look.note('begin-record-changed', key, what, facts);
    } else return;
    look.contents.set(key, sha256);
  };
  const asked = [...ledger.runs.values()].filter(
    ({ date, runId, hasBegin }) => hasBegin && isAsked(beginKey(date, runId), date),
  );
  try {
    await Promise.all(asked.map((run) => limit(() => check(run))));
  } finally {
    limit.clearQueue();
  }
}

/** What lies under the keys of parts changes until a rebucket has ended. @throws UnavailableError while it is at work */
export async function refuseRebucketing(
  store: Pick<Store, 'read' | 'url'>,
  signal: AbortSignal,
): Promise<void> {
  const found = await store.read(lakeKey, signal);
  if (found === null) return;
  let record: ReturnType<typeof parseRecord>['record'];
  try {
    record = parseRecord(found.bytes, store.url, lakeTables).record;
  } catch {
    // A record that cannot be read is a finding.
    return;
  }
  if (record.rebucketing !== undefined) throw beingRebucketed(store.url, record.rebucketing);
}

/** The files of rejected records: those that manifests name are there and unchanged, and no others. */
export async function checkRejected(
  store: Pick<Store, 'list' | 'read'>,
  ledger: Ledger,
  look: Look,
  isAsked: (key: string, day: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const there = new Set<string>();
  for await (const key of store.list(rejectedPrefix, {}, signal)) {
    there.add(key);
    const parsed = parseRejectedKey(key);
    if (parsed === null) {
      look.note('foreign-object', key, 'it is not a file of rejected records');
      continue;
    }
    if (!isAsked(key, parsed.date)) continue;
    const expected = ledger.expected.get(key)?.writes.at(-1);
    const run = ledger.runs.get(parsed.runId);
    if (expected === undefined) {
      // A run that ended without a word of it, or of which nothing is known, did not write it.
      if (run !== undefined && run.state !== 'ended') look.unproven.add(key);
      else {
        look.note('rejected-changed', key, `no manifest names it`, { run_id: parsed.runId });
      }
      continue;
    }
    const object = await store.read(key, signal);
    if (object === null) {
      there.delete(key);
      continue;
    }
    look.counts.rejectedFiles += 1;
    const sha256 = createHash('sha256').update(object.bytes).digest('hex');
    if (sha256 === expected.sha256) continue;
    look.note('rejected-changed', key, `${bytesText(sha256)}, and its manifest names ${expected.sha256}`, {
      run_id: parsed.runId,
      expected: { sha256: expected.sha256, bytes: null },
    });
  }
  for (const key of ledger.expected.keys()) {
    const parsed = key.startsWith(rejectedPrefix) ? parseRejectedKey(key) : null;
    if (parsed === null || there.has(key) || !isAsked(key, parsed.date)) continue;
    const sha256 = ledger.expected.get(key)?.writes.at(-1)?.sha256 ?? '';
    look.note('rejected-missing', key, `it is gone, and the manifest of the run ${parsed.runId} names it`, {
      run_id: parsed.runId,
      expected: { sha256, bytes: null },
    });
  }
}

export interface WatermarkFile {
  readonly key: string;
  readonly marks: ReadonlyMap<string, Watermark>;
}

/** Read before the ledger, so that the runs that moved them have ended by then. */
export async function readAllWatermarks(
  store: Store,
  look: Look,
  signal: AbortSignal,
): Promise<readonly WatermarkFile[]> {
  const files: WatermarkFile[] = [];
  for await (const key of store.list(watermarksPrefix, {}, signal)) {
    const bucket = parseWatermarksKey(key);
    if (bucket === null) {
      look.note('foreign-object', key, 'it is not a file of watermarks');
      continue;
    }
    const { marks, impossible, damage } = await readWatermarks(
      store,
      bucket,
      Number.POSITIVE_INFINITY,
      signal,
    );
    if (damage !== null) look.note('watermarks-unreadable', key, damage);
    files.push({ key, marks: new Map([...marks, ...impossible]) });
  }
  return files;
}
