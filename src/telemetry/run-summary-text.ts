/** Prints the result of `export`. */

import { describeForeign } from '../lake/foreign-objects.ts';
import type { CoverageStatus } from '../ledger/coverage.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { renderCheckpoint } from './checkpoint-text.ts';
import { firstLossLine, renderLost } from './data-loss-text.ts';
import { needsPersonLine, renderFailures } from './failure-groups.ts';
import { size, span } from './human-units.ts';
import { count, grouped, paragraphs } from './paragraphs.ts';
import { printable } from './printable.ts';
import { renderReconciliation } from './reconciliation-text.ts';
import type { RunSummary } from './run-summary.ts';
import { painter } from './status-colors.ts';
import { textTable } from './text-table.ts';

/**
 * @param columns the terminal's width, to which text is wrapped or cut
 * @param color whether statuses are coloured
 */
export function renderRunSummary(summary: RunSummary, columns = 100, color = false): string {
  const { tables, coverage, failures, phases_ms: phases } = summary;
  const paint = painter(color);
  const totals = Object.entries(tables);
  // Safe: coverage has no other keys; Object.entries only knows them as text.
  const statuses = (Object.entries(coverage) as [CoverageStatus, number][]).filter(([, n]) => n > 0);
  const drains = statuses.reduce((sum, [, n]) => sum + n, 0);
  const blocks = [
    paragraphs(columns, [
      `Run ${summary.run_id} for the lake ${printable(summary.lake)}`,
      `${count(summary.targets, 'target')}, ${count(drains, 'drain')} as of ${summary.as_of}, in ${span(summary.duration_ms)} (${[
        `discover ${span(phases.discover)}`,
        `drain ${span(phases.drain)}`,
        `publish ${span(phases.publish)}`,
        `ledger ${span(phases.ledger)}`,
      ].join(', ')})`,
      concurrencyLine(summary.concurrency),
    ]),
    totals.length === 0
      ? 'Nothing was read.'
      : textTable(
          ['table', 'new', 'updated', 'unchanged', 'removed', 'rejected', 'parts', 'bytes'],
          totals.map(([table, t]) => [
            table,
            ...[t.added, t.updated, t.unchanged, t.removed, t.rejected, t.parts_written].map(grouped),
            size(t.bytes_written),
          ]),
          columns,
          'columns',
        ),
    statuses.length === 0
      ? ''
      : textTable(
          ['status', 'drains'],
          statuses.map(([status, n]) => [status, grouped(n)]),
          columns,
          'list',
          (cell) => {
            const [status] = statuses.find(([name]) => name === cell) ?? [];
            return status === undefined ? cell : paint(status);
          },
        ),
    paragraphs(
      columns,
      Object.entries(summary.unknown_fields).map(
        ([table, fields]) =>
          `AWS sent fields for ${table} that this version has no column for. They are not in the lake: ${printable(fields.join(', '))}`,
      ),
    ),
    paragraphs(
      columns,
      summary.altered_records === 0
        ? []
        : [
            `${grouped(summary.altered_records)} ${summary.altered_records === 1 ? 'record contains' : 'records contain'} invalid Unicode. The rows have U+FFFD in its place; the original records are kept under _ledger/rejected.`,
          ],
    ),
    summary.moved_jobs === 0
      ? ''
      : paragraphs(columns, [
          `AWS now reports a different creation date for ${count(summary.moved_jobs, 'job')}. Each stays one row and keeps its first date.`,
        ]),
    renderForeign(summary.foreign_objects, columns),
    renderLost(summary.lost_intervals, columns),
    renderReconciliation(summary.reconciliation, columns),
    renderFailures(failures, count(failures.length, 'failure'), summary.as_of, columns, paint),
    paragraphs(columns, [printable(firstLossLine(failures, summary.as_of))]),
    paragraphs(
      columns,
      [
        summary.ledger_error,
        summary.checkpoint_error,
        summary.checkpoint_skipped,
        summary.witness_error,
      ].flatMap((error) => (error === null ? [] : [printable(error)])),
    ),
    summary.checkpoint === null ? '' : renderCheckpoint(summary.checkpoint, columns),
    paragraphs(columns, [`Exit code ${summary.exit_code}: ${exitCodes[summary.exit_code]}.`]),
    needsPersonLine(failures, columns, paint),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function concurrencyLine({ setting, mean, highest, last }: RunSummary['concurrency']): string {
  if (setting !== 'auto') return `Concurrency: ${setting}`;
  return `Concurrency: auto. Targets that may be read at once: ${mean} on average, ${highest} at the peak, ${last} at the end`;
}

/** A line about objects in the lake that do not belong to it; '' if there are none. */
export function renderForeign(keys: readonly string[], columns: number): string {
  const told = describeForeign(keys);
  return told === null ? '' : paragraphs(columns, [`${printable(told)}.`]);
}
