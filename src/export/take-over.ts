/** The owner's side of src/export/hand-over.ts: rows that other shards handed over are staged, and then noted as merged. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { footerOf, openPart, readPart } from '../lake/engines/part-reader.ts';
import {
  type HandedOver,
  handedOverPrefix,
  ownsBucket,
  parseHandedOverKey,
  takenKey,
} from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { LakeError } from '../shared/errors.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { Row, Table } from '../tables/table.ts';
import type { Run } from './open-run.ts';
import type { OpenPublication } from './publication.ts';

/** What was handed over and is not merged yet. Reads only names. @throws LakeError */
export async function handedOver(
  store: Pick<Store, 'list'>,
  signal?: AbortSignal,
): Promise<readonly HandedOver[]> {
  const found = new Map<string, HandedOver>();
  const taken = new Set<string>();
  for await (const key of store.list(handedOverPrefix, {}, signal)) {
    const rows = parseHandedOverKey(key);
    if (rows === null) taken.add(key);
    else found.set(key, rows);
  }
  return [...found.values()].filter(({ key }) => !taken.has(takenKey(key)));
}

/**
 * Stages what other shards have handed over to this one so far. Resolves with what was staged. If that fails, the run goes on:
 * the rows stay in the ledger, and a later run merges them.
 */
export async function takeHandedOver(
  run: Pick<Run, 'settings' | 'planning' | 'scratch' | 'stops' | 'log'>,
  open: Pick<OpenPublication, 'batches' | 'creationDates'>,
): Promise<readonly HandedOver[]> {
  const { settings, planning, stops, log } = run;
  if (settings.shard === null) return [];
  try {
    const all = await handedOver(planning.lake.store, stops.publishing);
    const own = all.filter(({ bucket }) => ownsBucket(settings.shard, bucket));
    await stageHandedOver(run, open, own);
    return own;
  } catch (err) {
    log.warn({ err }, 'rows of other shards are not merged yet: they are kept, and a later run merges them');
    return [];
  }
}

/** @throws LakeError, EngineError, ScratchError; the signal's reason */
export async function stageHandedOver(
  { planning, scratch, stops }: Pick<Run, 'planning' | 'scratch' | 'stops'>,
  { batches, creationDates }: Pick<OpenPublication, 'batches' | 'creationDates'>,
  objects: readonly HandedOver[],
): Promise<void> {
  const { store } = planning.lake;
  const signal = stops.publishing;
  for (const { key } of objects) {
    const file = join(scratch.folder, `${randomUUID()}.handed-over.parquet`);
    let release: () => void = () => undefined;
    try {
      const found = await store.download(key, file, signal);
      if (found === null) continue;
      release = scratch.reserve(found.size);
      const part = await openPart(file);
      const footer = footerOf(part);
      const table = lakeTables.find(({ name }) => name === footer.get('table'));
      if (table === undefined) throw damaged(store.url, key);
      const partition = partitionOf(table, footer.get('partition') ?? '', store.url, key);
      for await (const rows of readPart(part, table)) {
        signal.throwIfAborted();
        const placed = rows.map((row): Row => ({ ...row, ...partition }));
        const dated = table === copyJobs ? await creationDates.withFirstDates(placed) : placed;
        await batches.stage(table, dated, key);
      }
    } finally {
      await rm(file, { force: true });
      release();
    }
  }
}

/** Notes those as merged whose rows are all published. A note that is missing only costs a later run another merge. */
export async function noteTaken(
  { planning, stops }: Pick<Run, 'planning' | 'stops'>,
  { publication }: Pick<OpenPublication, 'publication'>,
  objects: readonly HandedOver[],
): Promise<void> {
  const { store } = planning.lake;
  for (const { key } of objects) {
    if (publication.failed.has(key)) continue;
    await store.put(
      {
        key: takenKey(key),
        body: { bytes: Buffer.from(`${JSON.stringify({ run_id: planning.runId })}\n`) },
        condition: { ifAbsent: true },
        writeId: randomUUID(),
        metadata: { 'run-id': planning.runId },
        contentType: 'application/json',
      },
      stops.closing,
    );
  }
}

/** The partition columns are in the footer, as in every part. */
function partitionOf(table: Table, text: string, url: string, key: string): Readonly<Record<string, string>> {
  const values = new Map(
    text.split('/').map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
  return Object.fromEntries(
    table.partitions.map(({ name }) => {
      const value = values.get(name);
      if (value === undefined) throw damaged(url, key);
      return [name, value];
    }),
  );
}

function damaged(url: string, key: string): LakeError {
  return new LakeError(
    `${key} in ${url} is damaged: it does not say which part its rows belong to`,
    'Restore its earlier version (docs/recovery.md). It holds what one shard read for another.',
  );
}
