/** Compares the watermarks with the coverage of all runs. */
import { manifestKey, type TableKey, tablePrefix } from '../lake/layout.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import type { Row } from '../tables/table.ts';
import type { WatermarkFile } from './check-ledger-files.ts';
import type { Ledger } from './ledger.ts';
import type { Look } from './look.ts';
import { WatermarkProofs } from './watermark-proof.ts';

/** The coverage of runs that ended, as proofs; and that of the others, kept apart. */
export class CoverageRead {
  readonly proofs = new WatermarkProofs();
  readonly #hasEnded: (runId: string) => boolean;
  readonly #apart = new Map<string, Row[]>();

  constructor(hasEnded: (runId: string) => boolean) {
    this.#hasEnded = hasEnded;
  }

  add({ runId }: TableKey, rows: readonly Row[]): void {
    if (runId === null) return;
    if (this.#hasEnded(runId)) this.proofs.add(rows);
    else this.#apart.set(runId, [...(this.#apart.get(runId) ?? []), ...rows]);
  }

  get apart(): ReadonlyMap<string, readonly Row[]> {
    return this.#apart;
  }
}

/** @param ledger read after the coverage */
export async function checkWatermarks(
  files: readonly WatermarkFile[],
  { proofs, apart }: CoverageRead,
  ledger: Ledger,
  look: Look,
): Promise<void> {
  const unfinished = new Map<string, readonly Row[]>();
  for (const [runId, rows] of apart) {
    if (ledger.runs.get(runId)?.state === 'unfinished') unfinished.set(runId, rows);
    else proofs.add(rows);
  }
  for (const { key, run_id: runId } of look.findings) {
    if (runId === null || !key.startsWith(tablePrefix(exportCoverage))) continue;
    const begin = await ledger.begin(runId);
    if (begin !== null) proofs.addPlan(begin);
  }
  for (const { key, marks } of files) {
    for (const [name, mark] of marks) {
      look.counts.watermarks += 1;
      let why = proofs.unproven(name, mark);
      // Watermarks move after the manifest is written. So a run that moved one had a manifest.
      for (const [runId, rows] of why === null ? [] : unfinished) {
        unfinished.delete(runId);
        const before = why;
        proofs.add(rows);
        why = proofs.unproven(name, mark);
        if (why === before) continue;
        const what = `the run ${runId} moved watermarks, which it does after its manifest, and the manifest is gone`;
        const date = ledger.runs.get(runId)?.date ?? '';
        look.note('manifest-missing', manifestKey(date, runId), what, { run_id: runId });
      }
      if (why !== null) look.note('watermark-unproven', key, why);
    }
  }
}
