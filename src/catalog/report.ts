/** What `catalog` answers, and how people read it. */
import { type ExitCode, exitCodes } from '../shared/exit-codes.ts';
import { printable } from '../telemetry/printable.ts';

export interface DdlReport {
  readonly action: 'ddl';
  readonly exit_code: ExitCode;
  readonly dialect: 'athena' | 'trino';
  /** In the order in which they are to be run; without semicolons. */
  readonly statements: readonly string[];
}

/** Where a catalog was looked at or changed. */
interface Place {
  readonly lake: string;
  readonly account_id: string;
  readonly region: string;
  readonly database: string;
}

export interface ApplyReport extends Place {
  readonly action: 'apply';
  readonly exit_code: ExitCode;
  readonly dry_run: boolean;
  /** `+` is new, `~` is changed. */
  readonly changes: readonly string[];
  /** Why nothing was changed. */
  readonly refusals: readonly string[];
}

export interface CheckReport extends Place {
  readonly action: 'check';
  readonly exit_code: ExitCode;
  readonly drifts: readonly string[];
  /** Parts listed, and those whose schema was read. */
  readonly parts: number;
  readonly parts_read: number;
}

export type CatalogReport = DdlReport | ApplyReport | CheckReport;

/** The report for people; for `ddl`, a script that they can run. */
export function renderCatalogReport(report: CatalogReport): string {
  switch (report.action) {
    case 'ddl':
      return `${report.statements.map((statement) => `${statement};`).join('\n\n')}\n`;
    case 'apply':
      return lines([title(report), ...applied(report), ending(report)]);
    case 'check':
      return lines([title(report), ...checked(report), ending(report)]);
  }
}

function applied({ changes, refusals, dry_run: dryRun, exit_code: code }: ApplyReport): string[] {
  if (changes.length === 0 && refusals.length === 0) return ['No difference: nothing was changed.'];
  const outcome = code !== 0 ? 'Nothing was changed' : dryRun ? 'Would be changed' : 'Changed';
  return [
    ...(changes.length === 0 ? [] : [`${code === 0 ? outcome : 'Would be changed'}:`, ...indented(changes)]),
    ...(refusals.length === 0
      ? []
      : [
          `${outcome}, for this can only be changed by a person (another --database is a way out):`,
          ...indented(refusals),
        ]),
    ...(dryRun && code === 0 ? ['Nothing was changed: --dry-run. Views would be made through Athena.'] : []),
  ];
}

function checked({ drifts, parts, parts_read: read }: CheckReport): string[] {
  return [
    `${parts} parts are there; the schema of ${read} was read.`,
    ...(drifts.length === 0 ? ['All is in step.'] : [`${drifts.length} out of step:`, ...indented(drifts)]),
  ];
}

function title({ lake, database, account_id: account, region }: Place): string {
  return `Database ${database} of account ${account} in ${region}, over ${printable(lake)}`;
}

function ending({ exit_code: code }: CatalogReport): string {
  return `Exit code ${code}: ${code === 0 ? 'done' : exitCodes[code]}.`;
}

function indented(texts: readonly string[]): string[] {
  return texts.map((text) => `  ${printable(text)}`);
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
