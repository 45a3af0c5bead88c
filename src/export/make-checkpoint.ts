/** The checkpoint at the end of a run, and its copy for the witness. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredCheckpoint } from '../checkpoints/checkpoint.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { recordEntries } from '../checkpoints/run-records.ts';
import { openSigningKey } from '../checkpoints/signing.ts';
import {
  type CheckpointOutcome,
  type MadeCheckpoint,
  writeCheckpoint,
} from '../checkpoints/write-checkpoint.ts';
import type { WrittenRecords } from '../ledger/close.ts';
import { isStop } from '../shared/abort.ts';
import { ReportedError } from '../shared/errors.ts';
import type { CheckpointSummary } from '../telemetry/run-summary.ts';
import type { Run } from './open-run.ts';
import type { Publication } from './publication.ts';

export interface CheckpointResult {
  /** Null: none was written. */
  readonly written: CheckpointSummary | null;
  /** Why none was written although nothing went wrong; null: one was, or something did. */
  readonly skipped: string | null;
  readonly error: ReportedError | null;
  readonly witnessError: ReportedError | null;
}

/** Of a run that did not finish. */
export const noCheckpoint: CheckpointResult = {
  written: null,
  skipped: null,
  error: null,
  witnessError: null,
};

const noKey =
  'This run wrote no checkpoint: the lake’s checkpoints are signed, and it has no --signing-key. No signature covers what it wrote until a run with the key counts this one too.';

/** Whatever goes wrong here costs the run nothing that it published: the errors are part of the result. */
export async function makeCheckpoint(
  run: Run,
  publication: Publication,
  records: WrittenRecords,
): Promise<CheckpointResult> {
  const { log } = run;
  let made: CheckpointOutcome;
  try {
    made = await checkpointOf(run, publication, records);
  } catch (cause) {
    const error = explained('The run is complete, but its checkpoint could not be written', cause);
    log.error({ err: error }, 'the checkpoint could not be written');
    return { ...noCheckpoint, error };
  }
  if (made === null) {
    log.warn(noKey);
    return { ...noCheckpoint, skipped: noKey };
  }
  const written = summaryOf(made);
  warnOfDoubts(run, made);
  try {
    await witness(run, made.stored);
    return { ...noCheckpoint, written };
  } catch (cause) {
    const error = explained('The checkpoint is in the lake, but the witness did not get it', cause);
    log.error({ err: error }, 'the checkpoint could not be copied to the witness');
    return { ...noCheckpoint, written, witnessError: error };
  }
}

async function checkpointOf(
  { settings, stops, planning, io, scratch, signing }: Run,
  publication: Publication,
  records: WrittenRecords,
): Promise<CheckpointOutcome> {
  const { store } = planning.lake;
  const signal = stops.closing;
  const key = await openSigningKey(settings.signingKey, signing, {
    aws: planning.aws,
    credentials: planning.credentials,
    region: planning.homeRegion,
    signal,
  });
  const file = join(scratch.folder, 'compared.parquet');
  return await writeCheckpoint({
    store,
    writers: settings.shard?.count ?? 1,
    run: { runId: planning.runId, asOf: planning.asOf, programVersion: io.programVersion },
    manifest: { ...records.manifest, rows: null },
    records: recordEntries(records),
    written: publication.written,
    unchanged: [...publication.unchanged.values()],
    key,
    earlierKeys: signing.trusted,
    contentNow: async (part) => {
      const found = await store.download(part, file, signal);
      await rm(file, { force: true });
      return found?.sha256 ?? null;
    },
    signal,
  });
}

async function witness({ settings, stops, planning, log }: Run, made: StoredCheckpoint): Promise<void> {
  if (settings.witness === null) return;
  const { copyToWitness, openWitness } = await import('../checkpoints/witness.ts');
  // With the exporter's own credentials: whoever owns the lake and its role must not be able to write here.
  const opened = await openWitness(settings.witness, {
    s3EndpointUrl: settings.s3EndpointUrl,
    credentials: planning.credentials,
    log,
  });
  try {
    await copyToWitness(opened, planning.lake.store, made, stops.closing);
  } finally {
    await opened.close();
  }
}

function summaryOf({ stored, signingBegins, adoptedRuns }: MadeCheckpoint): CheckpointSummary {
  const { key, sha256, checkpoint, envelope } = stored;
  return {
    number: checkpoint.number,
    key,
    sha256,
    root: checkpoint.root,
    parts: checkpoint.parts,
    signed_by: envelope.signature?.keyId ?? null,
    signing_begins: signingBegins,
    adopted_runs: adoptedRuns,
    unexplained_parts: checkpoint.unexplained.map((part) => part.key),
  };
}

function warnOfDoubts({ log }: Run, { stored, signingBegins, adoptedRuns }: MadeCheckpoint): void {
  const { adopted, unexplained, number } = stored.checkpoint;
  if (signingBegins && number > 1) {
    log.warn(
      { number },
      'signing begins with this checkpoint: none before it is signed. If this lake was signed before, somebody replaced its checkpoints',
    );
  }
  if (number === 1 && adoptedRuns > 0) {
    log.warn(
      { runs: adoptedRuns },
      'the chain of checkpoints begins with this run, and counts earlier runs as their manifests say. If this lake had checkpoints before, somebody removed them',
    );
  }
  if (adopted.length > 0) {
    log.warn(
      { manifests: adopted.map(({ key }) => key) },
      'other runs had no checkpoint of their own yet: this one counts what their manifests say',
    );
  }
  if (unexplained.length > 0) {
    log.warn(
      { parts: unexplained },
      'parts had another content than the ledger says before this run: a run that died or has not ended wrote them, or somebody changed them. The checkpoint names them',
    );
  }
}

function explained(consequence: string, cause: unknown): ReportedError {
  if (cause instanceof ReportedError) return new CheckpointError(consequence, cause.message, { cause });
  if (isStop(cause))
    return new CheckpointError(consequence, `${cause.message} before the store responded`, { cause });
  throw cause;
}
