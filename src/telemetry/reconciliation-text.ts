/** How AWS's own counts compare with the lake, as people read it. */
import { count, grouped, paragraphs } from './paragraphs.ts';
import type { ReconciliationSummary } from './run-summary.ts';

/** '' where nothing was compared. */
export function renderReconciliation(found: ReconciliationSummary | null, columns: number): string {
  if (found === null) return '';
  const lines: string[] = [];
  if (found.compared > 0) lines.push(verdict(found));
  if (found.not_comparable > 0) {
    lines.push(
      `${grouped(found.not_comparable)} of AWS’s daily counts could not be compared: they are of another time than a UTC day, or AWS no longer gives them.`,
    );
  }
  if (found.unreadable_days.length > 0) {
    lines.push(
      `Parts of ${count(found.unreadable_days.length, 'day')} could not be read, so they were not compared with AWS’s counts: ${found.unreadable_days.join(', ')}.`,
    );
  }
  return paragraphs(columns, lines);
}

function verdict(found: ReconciliationSummary): string {
  const where = `${count(found.compared, 'account, region and day', 'accounts, regions and days')}`;
  if (found.differing === 0) {
    return `AWS’s own counts agree with the lake: ${count(found.aws_jobs, 'copy job')} on ${count(found.days, 'day')}.`;
  }
  return [
    `AWS’s own counts differ from the lake by ${percent(found.difference)}: ${grouped(found.missing_jobs)} of ${count(found.aws_jobs, 'job')} are missing in the lake, and ${grouped(found.surplus_jobs)} of its rows are not counted by AWS.`,
    `${grouped(found.differing)} of ${where} differ. query record-against-aws lists them.`,
    ...nextRead(found),
  ].join(' ');
}

function nextRead({ missing_jobs: missing, read_again: again }: ReconciliationSummary): readonly string[] {
  if (missing === 0 || again === null) return [];
  return again > 0
    ? [`Of those with missing jobs, the next run with --since auto reads ${grouped(again)} again.`]
    : ['The next run does not ask for the missing jobs again. To ask once more, run export --since all.'];
}

/** Two decimals; a difference is never shown as 0. */
function percent(share: number): string {
  const percents = share * 100;
  return percents < 0.01 ? 'less than 0.01%' : `${Number(percents.toFixed(2))}%`;
}
