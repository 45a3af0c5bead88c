/** Compares an object with the ledger: which run wrote these bytes, and if none can have, what became of the object. */

import type { TableKey } from '../lake/layout.ts';
import { contradiction, expectedFooter } from '../lake/part-placement.ts';
import type { Table } from '../tables/table.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';
import type { Write } from './expected-objects.ts';
import { type Finding, type FindingKind, finding } from './finding.ts';
import type { Ledger } from './ledger.ts';

/** An object of a table as it is now. */
export interface FoundObject {
  readonly key: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly etag: string;
  /** What its footer says; null: it is not a complete Parquet file. */
  readonly footer: ReadonlyMap<string, string> | null;
  /** The store says that these are not the bytes that were written. */
  readonly isAltered: boolean;
}

/** Where an object belongs. */
export interface ObjectPlace {
  readonly table: Table;
  readonly place: TableKey;
  readonly buckets: number;
}

/**
 * `proven`: a manifest names these bytes. `unproven`: an unfinished run wrote the object, or one whose manifest is lost, so
 * nobody recorded its SHA-256. `damaged`: the ledger contradicts it.
 */
export type Explanation =
  | { readonly state: 'proven'; readonly write: Write }
  | { readonly state: 'unproven'; readonly runId: string }
  | {
      readonly state: 'damaged';
      readonly finding: Finding;
      /** Whether its rows are worth a look: they are neither another part's nor an earlier state. */
      readonly readRows: boolean;
    };

/** The write that the ledger names for these bytes; null: none. */
export function provenWrite(
  ledger: Ledger,
  { key, sha256, bytes }: Pick<FoundObject, 'key' | 'sha256' | 'bytes'>,
): Write | null {
  const writes = ledger.expected.get(key)?.writes ?? [];
  return writes.find((one) => one.sha256 === sha256 && (one.bytes === null || one.bytes === bytes)) ?? null;
}

/**
 * @param ledger with the history of this key
 * @param found null: the object is gone
 */
export async function explain(
  key: string,
  found: FoundObject | null,
  { table, place, buckets }: ObjectPlace,
  ledger: Ledger,
): Promise<Explanation> {
  const latest = ledger.expected.get(key)?.writes.at(-1) ?? null;
  const isCoverage = table.merge.kind === 'append';
  const damaged = (kind: FindingKind, what: string, readRows = false): Explanation => ({
    state: 'damaged',
    readRows,
    finding: finding(kind, key, what, {
      run_id: latest?.runId ?? place.runId ?? found?.footer?.get('run_id') ?? null,
      expected: latest === null ? null : { sha256: latest.sha256, bytes: latest.bytes },
    }),
  });
  if (found === null) {
    const kind = isCoverage ? 'coverage-missing' : 'part-missing';
    return damaged(kind, `it is gone, and the run ${latest?.runId} wrote it`);
  }
  const proven = provenWrite(ledger, found);
  if (proven !== null && !found.isAltered) return { state: 'proven', write: proven };
  const wrote = latest === null ? 'no manifest names it' : `the run ${latest.runId} wrote ${latest.sha256}`;
  const differs = `its SHA-256 is ${found.sha256}, and ${wrote}`;
  const changed = isCoverage ? 'coverage-changed' : 'part-changed';
  if (found.footer === null) {
    const size = latest?.bytes == null ? '' : `, and the run ${latest.runId} wrote ${grouped(latest.bytes)}`;
    return damaged(
      isCoverage ? changed : 'part-unreadable',
      `it is not a complete Parquet file; it has ${count(found.bytes, 'byte')}${size}`,
    );
  }
  const elsewhere = ledger.expected.keysOf(found.sha256).filter((other) => other !== key);
  const misplaced =
    elsewhere[0] === undefined
      ? contradiction(expectedFooter(table, place, buckets), found.footer)
      : `it is the object ${elsewhere[0]}`;
  if (misplaced !== null) return damaged('part-misplaced', misplaced);
  const earlier = ledger.expected.history(key).find(({ sha256 }) => sha256 === found.sha256);
  if (earlier !== undefined && latest !== null && !found.isAltered) {
    return damaged(
      'part-rolled-back',
      `it is as the run ${earlier.runId} wrote it, and the run ${latest.runId} replaced that`,
    );
  }
  const writer = found.footer.get('run_id');
  const run = writer === undefined ? undefined : ledger.runs.get(writer);
  if (found.isAltered || writer === undefined) return damaged(changed, differs, true);
  if (run === undefined) {
    const why = `its footer names the run ${writer}, of which the ledger has no record`;
    return latest === null
      ? damaged('part-unexplained', why, true)
      : damaged(changed, `${why}; ${wrote}`, true);
  }
  if (run.state === 'ended') {
    const why = `its footer names the run ${writer}, whose manifest does not name it`;
    return latest === null ? damaged('part-unexplained', why, true) : damaged(changed, differs, true);
  }
  if (await isReplaced(found, writer, ledger)) {
    return damaged('part-rolled-back', `it is as the unfinished run ${writer} wrote it, and ${wrote} later`);
  }
  return { state: 'unproven', runId: writer };
}

/** Whether a run that ended wrote the object after this unfinished one. */
async function isReplaced({ key, etag }: FoundObject, writer: string, ledger: Ledger): Promise<boolean> {
  const object = ledger.expected.get(key);
  if (object === undefined) return false;
  if (object.replaced.includes(etag)) return true;
  const end = await ledger.latestEnd(writer);
  return object.writes.some(({ asOf }) => asOf > end);
}
