/** The coverage matrix: accounts by days, with their regions inside. Exceptions are open to view, what is well is folded. */
import { type Content, type Html, html } from '../pages/html.ts';
import { type Tone, tag } from '../pages/report-page.ts';
import {
  type Days,
  type Mark,
  timelineAxis,
  timelineDetails,
  timelineLegend,
  timelineRow,
} from '../pages/timeline.ts';
import { dayMs } from '../shared/time.ts';
import { accountLabel } from '../telemetry/account-label.ts';
import { count, grouped, listSome } from '../telemetry/paragraphs.ts';
import type { DrainStatus, StatusReport, Stretch } from './status-report.ts';
import { minute, regionsOf } from './wording.ts';

/** Weeks enough to see what was lost: AWS deletes copy jobs that are older than a month. */
export const matrixDays = 91;
/** With more exceptions than this, accounts that look alike share a row. */
const mostAlone = 40;
/** With more accounts than this, those that are well are folded. */
const mostOpen = 12;
const namesInRow = 2;

/** One or more accounts that look alike. */
interface AccountRow {
  readonly accounts: readonly Pick<DrainStatus, 'account_id' | 'account_name'>[];
  /** Of the first account; the others have the same. */
  readonly drains: readonly DrainStatus[];
  readonly isException: boolean;
}

export function coverageMatrix(report: StatusReport): Html {
  const days: Days = {
    from: Math.floor(Date.parse(report.now) / dayMs) * dayMs - (matrixDays - 1) * dayMs,
    count: matrixDays,
  };
  const rows = accountRows(report.drains, days);
  const exceptions = rows.filter(({ isException }) => isException);
  const shown = exceptions.length > mostAlone ? alike(exceptions, days) : exceptions;
  const well = rows.filter(({ isException }) => !isException);
  const isFolded = well.length > mostOpen || (well.length > 0 && exceptions.length > mostOpen);
  const wellRows = well.map((row) => (isFolded ? flatRow(row, days) : openRow(row, days)));
  const regions = new Set(well.flatMap(({ drains }) => drains.map(({ region }) => region))).size;
  return html`${timelineLegend({
    proven: 'proven',
    gap: 'not read, AWS still keeps it',
    lost: 'lost for good',
    none: 'not asked for',
  })}<div class="rows" style="--cells:${matrixDays / 7}">${timelineAxis(days)}
${shown.map((row) => openRow(row, days))}
${
  isFolded
    ? html`<details class="all" data-print><summary>${count(well.length, 'account')} ${well.length === 1 ? 'is' : 'are'} well in all ${count(regions, 'region')}</summary>${wellRows}</details>`
    : wellRows
}</div>`;
}

/** An account is an exception if anything is missing in it, or was lost in the days shown. */
function accountRows(drains: readonly DrainStatus[], days: Days): AccountRow[] {
  return [...Map.groupBy(drains, ({ account_id }) => account_id).values()]
    .flatMap((own): AccountRow[] => {
      const [first] = own;
      if (first === undefined) return [];
      const { account_id, account_name } = first;
      const isException = own.some(
        ({ gaps, lost }) => gaps.length > 0 || lost.some(({ to }) => Date.parse(to) > days.from),
      );
      return [{ accounts: [{ account_id, account_name }], drains: own, isException }];
    })
    .sort((a, b) => urgency(a) - urgency(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
}

function urgency({ drains, isException }: AccountRow): number {
  if (!isException) return Number.MAX_VALUE;
  return Math.min(...drains.map(({ hours_to_loss }) => hours_to_loss ?? Number.MAX_SAFE_INTEGER));
}

function nameOf({ accounts: [first] }: AccountRow): string {
  return first === undefined ? '' : (first.account_name ?? first.account_id);
}

function alike(rows: readonly AccountRow[], days: Days): AccountRow[] {
  const look = ({ drains }: AccountRow) =>
    JSON.stringify(
      drains.map((drain) => [drain.region, drain.table, drain.state, pictureOf(drain, days)]).sort(),
    );
  return [...Map.groupBy(rows, look).values()].flatMap((group): AccountRow[] => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, accounts: group.flatMap(({ accounts }) => accounts) }];
  });
}

function openRow(row: AccountRow, days: Days): Html {
  const inner = [...Map.groupBy(row.drains, (drain) => `${drain.state} ${pictureOf(drain, days)}`).values()];
  const names =
    row.accounts.length > namesInRow
      ? html`<p class="names">${row.accounts.map(accountLabel).join(', ')}</p>`
      : null;
  return timelineDetails(rowOf(row, days), [
    names,
    inner.map((group) => {
      const places = placesOf(group, regionsOf(row.drains));
      return timelineRow(places, marksOf(group), days, spokenOf(places, group, days), stateTag(group));
    }),
  ]);
}

function flatRow(row: AccountRow, days: Days): Html {
  return timelineRow(...rowOf(row, days));
}

function rowOf(row: AccountRow, days: Days): Parameters<typeof timelineRow> {
  const { accounts, drains } = row;
  const label = listSome(accounts.map(accountLabel), namesInRow);
  return [whoOf(row), marksOf(drains), days, spokenOf(label, drains, days), stateTag(drains)];
}

function whoOf({ accounts }: AccountRow): Content {
  const [first, second] = accounts;
  if (first === undefined) return '';
  if (second !== undefined) {
    return html`<span title="${listSome(accounts.map(accountLabel), 12)}">${grouped(accounts.length)} accounts: ${accounts[0]?.account_name ?? first.account_id}, …</span>`;
  }
  const { account_id: id, account_name: name } = first;
  return name === null ? html`<span class="id">${id}</span>` : html`${name} <span class="id">${id}</span>`;
}

/** Regions that look alike, after their table if it is only one. @param everywhere how many regions the account has */
function placesOf(group: readonly DrainStatus[], everywhere: number): string {
  const byTable = Map.groupBy(group, ({ table }) => table);
  const regions = [...new Set(group.map(({ region }) => region))].sort();
  const [table] = byTable.keys();
  const where =
    regions.length === everywhere && everywhere > 2 ? `all ${everywhere} regions` : listSome(regions, 1);
  return `${byTable.size === 1 ? `${table} · ` : ''}${where}`;
}

function marksOf(drains: readonly DrainStatus[]): Mark[] {
  return drains.flatMap(({ proven, gaps, lost }) => [
    ...proven.map((one) => markOf('proven', one)),
    ...gaps.map((one) => markOf('gap', one)),
    ...lost.map((one) => markOf('lost', one)),
  ]);
}

function markOf(kind: Mark['kind'], { from, to }: { readonly from: string; readonly to: string }): Mark {
  return { kind, from: Date.parse(from), to: Date.parse(to) };
}

/** What of a drain can be seen in these days. */
function pictureOf({ proven, gaps, lost }: DrainStatus, days: Days): string {
  const seen = (all: readonly { readonly from: string; readonly to: string }[]) =>
    all
      .filter(({ to }) => Date.parse(to) > days.from)
      .map(({ from, to }) => [Math.max(days.from, Date.parse(from)), Date.parse(to)]);
  return JSON.stringify([seen(proven), seen(gaps), seen(lost)]);
}

/** For people who do not see the strip. */
function spokenOf(who: string, drains: readonly DrainStatus[], days: Days): string {
  const told = (kind: 'gaps' | 'lost', word: string) => {
    const all: readonly Stretch[] = drains.flatMap((drain): readonly Stretch[] => drain[kind]);
    const shown = all.filter(({ to }) => Date.parse(to) > days.from);
    const spans = [...new Set(shown.map(({ from, to }) => `${minute(from)} to ${minute(to)}`))];
    return spans.length === 0 ? [] : [`${word} ${listSome(spans, 3)}`];
  };
  const exceptions = [...told('lost', 'lost'), ...told('gaps', 'not read')];
  return `${who}: ${exceptions.length === 0 ? 'nothing is missing' : exceptions.join('; ')}`;
}

function stateTag(drains: readonly DrainStatus[]): Html {
  const has = (state: DrainStatus['state']) => drains.some((drain) => drain.state === state);
  const [tone, word] = ((): readonly [Tone, string] => {
    if (has('at_risk')) return ['bad', 'at risk'];
    if (has('gap')) return ['warn', 'gap'];
    if (drains.every(({ state }) => state === 'planned_no_more')) return ['plain', 'not planned'];
    if (drains.every(({ state }) => state === 'region_disabled')) return ['plain', 'disabled'];
    return ['good', 'proven'];
  })();
  return tag(tone, word);
}
