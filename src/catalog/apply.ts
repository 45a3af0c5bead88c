/** `catalog apply`: brings Glue in line with the definitions by adding; if it cannot, it says why and changes nothing. */
import type { Table as GlueTable } from '@aws-sdk/client-glue';
import type { Table } from '../tables/table.ts';
import type { Log } from '../telemetry/log.ts';
import { planView, type ViewPlan } from './athena-views.ts';
import type { ApplyReport } from './catalog-report.ts';
import { databaseDescription } from './ddl.ts';
import { tableLocation } from './definition.ts';
import type { Glue } from './glue.ts';
import { changedTable, newTable, type TablePlan } from './glue-table.ts';
import type { View } from './statements.ts';

export interface ApplyOptions {
  readonly tables: readonly Table[];
  /** Each view comes after the views that it reads. */
  readonly views: readonly View[];
  readonly glue: Glue;
  readonly athena: { run(statement: string, what: string): Promise<void> };
  readonly place: Pick<ApplyReport, 'lake' | 'account_id' | 'region' | 'database'>;
  readonly firstDay: string;
  readonly programVersion: string;
  readonly dryRun: boolean;
  readonly log: Pick<Log, 'info' | 'error'>;
}

/** @throws ReportedError when Glue or Athena cannot be reached, or refuse */
export async function apply(options: ApplyOptions): Promise<ApplyReport> {
  const { glue, place, dryRun, log } = options;
  const database = await glue.database();
  const tables = await planTables(options, database !== null);
  const views = await planViews(options, database);
  const changes = [
    ...(database === null ? [`+ database ${place.database}`] : []),
    ...tables.flatMap(({ plan }) => plan.changes),
    ...views.flatMap(({ change }) => change ?? []),
  ];
  const refusals = [
    ...tables.flatMap(({ plan }) => plan.refusals),
    ...views.flatMap(({ refusal }) => refusal ?? []),
  ];
  const report = { action: 'apply', ...place, dry_run: dryRun, changes, refusals } as const;
  for (const change of changes) log.info({ event: 'difference', database: place.database }, change);
  for (const refusal of refusals) log.error({ event: 'refused', database: place.database }, refusal);
  if (refusals.length > 0) return { ...report, exit_code: 78 };
  if (dryRun) return { ...report, exit_code: 0 };

  if (database === null) await glue.createDatabase(databaseDescription);
  for (const { found, plan } of tables) {
    if (plan.changes.length === 0) continue;
    await (found === null ? glue.createTable(plan.input) : glue.updateTable(found, plan.input));
  }
  await makeViews(options, views);
  return { ...report, exit_code: 0 };
}

async function planTables(
  { tables, glue, place, firstDay, programVersion }: ApplyOptions,
  exists: boolean,
): Promise<readonly { readonly found: GlueTable | null; readonly plan: TablePlan }[]> {
  const plans = [];
  for (const table of tables) {
    const found = exists ? await glue.table(table.name) : null;
    const placing = { location: tableLocation(table, place.lake), firstDay, programVersion };
    const plan = found === null ? newTable(table, placing) : changedTable(table, found, placing);
    plans.push({ found, plan });
  }
  return plans;
}

async function planViews(
  { views, glue, place }: ApplyOptions,
  database: Awaited<ReturnType<Glue['database']>>,
): Promise<readonly ViewPlan[]> {
  const plans = [];
  for (const view of views) {
    const found = database === null ? null : await glue.table(view.name);
    plans.push(planView(view, place.database, found, database?.Parameters ?? {}));
  }
  return plans;
}

/** Records the views that were created, even if a later one fails. */
async function makeViews({ glue, athena, log }: ApplyOptions, plans: readonly ViewPlan[]): Promise<void> {
  const made: Record<string, string> = {};
  try {
    for (const { view, statement, change, parameter, fingerprint } of plans) {
      if (change === null) continue;
      await athena.run(statement, `View ${view.name}`);
      made[parameter] = fingerprint;
      log.info({ event: 'view' }, `created view ${view.name}`);
    }
  } finally {
    const database = Object.keys(made).length === 0 ? null : await glue.database();
    if (database !== null) await glue.addParameters(database, made);
  }
}
