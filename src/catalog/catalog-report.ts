/** The report of `catalog`, and its text for people. */
import { type ExitCode, exitCodes } from '../shared/exit-codes.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';
import { printable } from '../telemetry/printable.ts';

export interface DdlReport {
  readonly action: 'ddl';
  readonly exit_code: ExitCode;
  readonly dialect: 'athena' | 'trino';
  /** In the order in which to run them, without semicolons. */
  readonly statements: readonly string[];
}

/** The catalog that was read or changed. */
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

/** The report as text; for `ddl`, a script to run. */
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
          `${outcome}, because only a person can change the following (or use another --database):`,
          ...indented(refusals),
        ]),
    ...(dryRun && code === 0 ? ['Nothing was changed (--dry-run). Athena would create the views.'] : []),
  ];
}

function checked({ drifts, parts, parts_read: read }: CheckReport): string[] {
  return [
    `The lake has ${count(parts, 'part')}; the schema of ${grouped(read)} was checked.`,
    ...(drifts.length === 0
      ? ['Glue, the definitions and the lake agree.']
      : [`${count(drifts.length, 'difference')}:`, ...indented(drifts)]),
  ];
}

function title({ lake, database, account_id: account, region }: Place): string {
  return `Database ${database} in account ${account}, ${region}, for the lake ${printable(lake)}`;
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
