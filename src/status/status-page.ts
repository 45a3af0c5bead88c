/** The report as a page: verdict, what needs somebody, losses, the coverage matrix, and how copies went. */
import { bars, chartStyle, rateChart, shadedTable } from '../pages/charts.ts';
import { type Content, type Html, html } from '../pages/html.ts';
import { dataTable, type Figure, page, pair, section, tag } from '../pages/report-page.ts';
import { timelinePatterns, timelineStyle } from '../pages/timeline.ts';
import { accountLabel } from '../telemetry/account-label.ts';
import { count, grouped, listSome } from '../telemetry/paragraphs.ts';
import { daysShown } from './copies.ts';
import { coverageMatrix, matrixDays } from './coverage-matrix.ts';
import { daysCompared } from './record-against-aws.ts';
import type { Cause, Copies, LostInterval, StatusReport } from './status-report.ts';
import {
  endsUnknownLines,
  minute,
  placesLabel,
  regionsOf,
  sameLosses,
  sinceRun,
  spanOf,
  uncountedLines,
  unreadRemedy,
  verdictLines,
} from './wording.ts';

const shownAccounts = 4;
/** Rows of losses that stand on the page; --output json has all. */
const shownLosses = 200;

export function renderStatusPage(report: StatusReport): string {
  const [say, ...why] = verdictLines(report);
  const { copies } = report;
  return page({
    title: 'Status of the copy job record',
    kicker: 'backup-copy-export',
    subject: `${report.lake} · ${minute(report.now)} UTC`,
    verdict: {
      tone: tones[report.verdict],
      say,
      why: [...why, lastRun(report), ...endsUnknownLines(report), ...uncountedLines(report)].join(' '),
    },
    figures: figures(report),
    style: timelineStyle + chartStyle,
    sections: [
      timelinePatterns(),
      ...(report.unread_objects.length > 0 ? [unreadSection(report)] : []),
      ...(report.causes.length > 0 ? [causesSection(report)] : []),
      ...(report.lost.length > 0 ? [lostSection(report)] : []),
      section(
        'coverage',
        'Coverage',
        `What good runs have proven of the last ${matrixDays} days, by account. Open an account to see its regions. Times are UTC.`,
        report.drains.length > 0 && coverageMatrix(report),
        'long',
      ),
      recordSection(report),
      pair([successSection(copies), failuresSection(copies)]),
      routesSection(copies),
    ],
    footer: [
      `Made from the lake alone, without asking AWS Backup. A drain is one table of one account and region. ${memoryLine(report)}`,
      `All numbers on this page are in the output of status --output json.`,
    ],
  });
}

const tones = {
  nothing_read: 'warn',
  lost: 'bad',
  incomplete: 'bad',
  at_risk: 'bad',
  gaps: 'warn',
  proven: 'good',
} as const;

function lastRun({ last_run: last, unfinished_runs: unfinished, now }: StatusReport): string {
  const ran =
    last === null ? '' : `The last run began at ${minute(last.as_of)}, ${sinceRun(last.as_of, now)} ago.`;
  const died = unfinished.filter(({ may_be_running }) => !may_be_running).length;
  const running = unfinished.length - died;
  return [
    ran,
    ...(died > 0 ? [`${count(died, 'run')} died before ${died === 1 ? 'it' : 'they'} ended.`] : []),
    ...(running > 0 ? [`${count(running, 'run')} may still be at work.`] : []),
  ].join(' ');
}

function memoryLine({ memory_days: days, stale_after_hours: stale }: StatusReport): string {
  return `This report assumes that AWS keeps copy jobs for ${count(days.copy_jobs, 'day')} and counts for ${count(days.copy_job_summaries, 'day')}. A target counts as not read if no run has read it for ${spanOf(stale)}.`;
}

function figures({ totals, hours_to_loss: left, warn_within_hours: warn, copies }: StatusReport): Figure[] {
  const rate = overallRate(copies);
  return [
    {
      name: 'Without a gap',
      value: grouped(totals.proven),
      of: `of ${count(totals.drains, 'drain')} in ${count(totals.accounts, 'account')}`,
      tone: totals.with_gaps === 0 && totals.proven > 0 ? 'good' : 'plain',
    },
    {
      name: 'With gaps',
      value: grouped(totals.with_gaps),
      of: `${grouped(totals.at_risk)} at risk within ${spanOf(warn)}`,
      tone: totals.at_risk > 0 ? 'bad' : totals.with_gaps > 0 ? 'warn' : 'plain',
    },
    {
      name: 'First loss in',
      value: left === null ? 'none' : left <= 0 ? 'now' : spanOf(left),
      of: left === null ? 'nothing waits to be read' : 'until AWS deletes unread records',
      tone: left === null ? 'good' : left <= warn ? 'bad' : 'warn',
    },
    {
      name: 'Lost for good',
      value: grouped(totals.lost_intervals),
      of: totals.lost_intervals === 0 ? 'intervals' : `intervals, ${grouped(totals.new_losses)} new`,
      tone: totals.new_losses > 0 ? 'bad' : 'plain',
    },
    {
      name: 'Copy success',
      value: rate === null ? '–' : `${rate.toFixed(1)} %`,
      of: `of those ended, ${daysShown} days`,
    },
    { name: 'Open copies', value: grouped(totals.open_jobs), of: 'followed until they end' },
  ];
}

function overallRate({ days }: Copies): number | null {
  const completed = days.reduce((sum, day) => sum + day.completed, 0);
  const ended = days.reduce((sum, day) => sum + day.completed + day.failed + day.partly_done, 0);
  return ended === 0 ? null : (completed / ended) * 100;
}

function unreadSection({ unread_objects: unread }: StatusReport): Html {
  const shown = unread.slice(0, shownLosses);
  return section(
    'unread',
    'Not readable',
    `This report had to do without these objects. ${unreadRemedy}`,
    [
      dataTable(
        'Objects that could not be read',
        [{ name: 'Object' }, { name: 'Why' }],
        shown.map(({ key, why }) => [html`<p class="where">${key}</p>`, html`<p class="remedy">${why}</p>`]),
      ),
      shown.length < unread.length &&
        html`<p class="more">${grouped(unread.length - shown.length)} more are in --output json.</p>`,
    ],
    'long',
  );
}

function causesSection({ causes, drains }: StatusReport): Html {
  const everywhere = regionsOf(drains);
  return section(
    'causes',
    'Not read yet',
    'AWS still keeps these records. The most urgent cause comes first.',
    dataTable(
      'Causes of gaps',
      [
        { name: 'Cause' },
        { name: 'Where' },
        { name: 'Since', kind: 'short' },
        { name: 'First loss', kind: 'short' },
      ],
      causes.map((cause) => [
        [
          tag(cause.needs_person ? 'bad' : 'warn', cause.cause),
          html`<p class="remedy">${cause.remedy}</p>`,
          cause.error !== null &&
            html`<details class="more"><summary>What AWS said</summary><p class="remedy">${cause.error}</p></details>`,
        ],
        [
          html`<p class="where">${whoOf(cause)}</p>`,
          html`<p class="where soft">${placesLabel(cause.regions, everywhere)} · ${cause.tables.join(', ')}</p>`,
          cause.accounts.length > shownAccounts + 1 &&
            html`<details class="more"><summary>All ${cause.accounts.length} accounts</summary><p class="remedy">${cause.accounts.map(accountLabel).join(', ')}</p></details>`,
        ],
        minute(cause.since),
        [
          html`<b>${cause.hours_to_loss <= 0 ? 'now' : `in ${spanOf(cause.hours_to_loss)}`}</b>`,
          html`<br><span class="soft">${minute(cause.first_loss_at)}</span>`,
        ],
      ]),
    ),
    'long',
  );
}

function whoOf({ accounts }: Cause): string {
  const names = accounts.map(accountLabel);
  return names.length === 1
    ? (names[0] ?? '')
    : `${grouped(names.length)} accounts: ${listSome(names, shownAccounts)}`;
}

function lostSection({ lost, last_acknowledged: acknowledged, drains }: StatusReport): Html {
  const everywhere = regionsOf(drains);
  const groups = sameLosses(lost);
  const shown = groups.slice(0, shownLosses);
  const known =
    acknowledged === null ? '' : ` Last acknowledged at ${minute(acknowledged.at)} by ${acknowledged.by}.`;
  return section(
    'lost',
    'Lost for good',
    `AWS deleted these records before a run read them. Nothing can bring them back.${known}`,
    [
      dataTable(
        'Lost intervals',
        [
          { name: 'Created between', kind: 'short' },
          { name: 'Length', kind: 'short' },
          { name: 'Table', kind: 'short' },
          { name: 'Where' },
          { name: 'Noticed', kind: 'short' },
          { name: 'State', kind: 'short' },
        ],
        shown.map((group) => lostRow(group, everywhere)),
      ),
      shown.length < groups.length &&
        html`<p class="more">${grouped(groups.length - shown.length)} more are in --output json.</p>`,
    ],
    'long',
  );
}

function lostRow(group: readonly LostInterval[], everywhere: number): Content[] {
  const [first] = group;
  if (first === undefined) return [];
  const accounts = [...new Map(group.map((one) => [one.account_id, accountLabel(one)])).values()];
  const regions = [...new Set(group.map(({ region }) => region))].sort();
  return [
    `${minute(first.from)} – ${minute(first.to)}`,
    spanOf(first.hours),
    first.table,
    [
      html`<p class="where">${listSome(accounts, shownAccounts)}</p>`,
      html`<p class="where soft">${placesLabel(regions, everywhere)}</p>`,
    ],
    first.noticed_at === null ? 'no run since' : minute(first.noticed_at),
    first.is_new ? tag('bad', 'new') : 'known',
  ];
}

function recordSection({ record_against_aws: record }: StatusReport): Html {
  const { differences, compared } = record;
  const shown = differences.slice(0, shownLosses);
  return section(
    'record',
    'AWS’s own counts',
    `AWS counts copy jobs by day, for ${daysCompared} days. Each run compares its counts with the record, once a day is over and read.`,
    compared === 0
      ? html`<p class="empty">No run has compared them yet.</p>`
      : differences.length === 0
        ? html`<p>They agree with the lake in ${compared === 1 ? 'the only comparison' : `all ${grouped(compared)} comparisons`} so far: one for each account, region and day.</p>`
        : [
            dataTable(
              'Differences between AWS’s counts and the record',
              [
                { name: 'Day', kind: 'short' },
                { name: 'Where' },
                { name: 'AWS counts', kind: 'number' },
                { name: 'Record', kind: 'number' },
                { name: 'Missing', kind: 'number' },
                { name: 'Surplus', kind: 'number' },
              ],
              shown.map((one) => [
                one.day,
                `${accountLabel(one)} · ${one.region}`,
                grouped(one.aws_count),
                grouped(one.lake_count),
                grouped(one.missing_jobs),
                grouped(one.surplus_jobs),
              ]),
            ),
            shown.length < differences.length &&
              html`<p class="more">${grouped(differences.length - shown.length)} more are in --output json.</p>`,
          ],
    'long',
  );
}

function successSection({ days }: Copies): Html {
  const rates = days.map(({ day, success_percent: percent, jobs, failed, partly_done, still_open }) => ({
    day,
    percent,
    volume: jobs,
    title: `${day}: ${percent === null ? 'none ended' : `${percent} % succeeded`}, ${count(jobs, 'copy', 'copies')}`,
    notes: [jobs, failed, partly_done, still_open],
  }));
  const known = days.flatMap(({ success_percent: percent }) => (percent === null ? [] : [percent]));
  const spoken =
    known.length === 0
      ? 'No copies have ended in this time.'
      : `Success rate per day, between ${Math.min(...known)} and ${Math.max(...known)} percent over ${count(known.length, 'day')}. The table below has the numbers.`;
  return section(
    'success',
    'Success rate per day',
    'Share of COMPLETED among the copies that have ended, by day of creation; below it, how many copies there were.',
    days.length === 0
      ? html`<p class="empty">No copies in this time.</p>`
      : [
          rateChart(rates, spoken),
          html`<details class="more"><summary>As a table</summary>${dataTable(
            'Copies by day',
            [
              { name: 'Day', kind: 'short' },
              { name: 'Copies', kind: 'number' },
              { name: 'Completed', kind: 'number' },
              { name: 'Failed', kind: 'number' },
              { name: 'Partly', kind: 'number' },
              { name: 'Open', kind: 'number' },
              { name: 'Success', kind: 'number' },
            ],
            [...days]
              .reverse()
              .map((day) => [
                day.day,
                grouped(day.jobs),
                grouped(day.completed),
                grouped(day.failed),
                grouped(day.partly_done),
                grouped(day.still_open),
                day.success_percent === null ? '–' : `${day.success_percent.toFixed(2)} %`,
              ]),
          )}</details>`,
        ],
  );
}

function failuresSection({ failures_by_category: failures }: Copies): Html {
  return section(
    'failures',
    'Why copies failed',
    `Copies in state FAILED by cause, created in the last ${daysShown} days. The category is AWS’s, or where AWS gave none, the one that its message shows.`,
    failures.length === 0
      ? html`<p class="empty">No copy failed.</p>`
      : [
          bars(
            failures.map(({ message_category: category, cause, failed, accounts }) => ({
              name: [category ?? 'unknown', ...(cause === null ? [] : [cause.replace(/\.$/, '')])].join(': '),
              value: failed,
              note: `in ${count(accounts, 'account')}`,
            })),
          ),
          failures.some(({ remedy }) => remedy !== null) &&
            html`<details class="more"><summary>What to do</summary><ul>${[
              ...new Set(failures.flatMap(({ remedy }) => (remedy === null ? [] : [remedy]))),
            ].map((remedy) => html`<li>${remedy}</li>`)}</ul></details>`,
        ],
  );
}

function routesSection({ routes }: Copies): Html {
  return section(
    'routes',
    'Copies by source and destination',
    `From the region in the row to the region in the column, created in the last ${daysShown} days; in the second line, how many of them failed.`,
    routes.length === 0
      ? html`<p class="empty">No copies in this time.</p>`
      : shadedTable(
          'from ↓ to →',
          'Copies by source and destination region',
          routes.map(({ source_region, destination_region, jobs, failed }) => ({
            row: source_region ?? 'unknown',
            column: destination_region ?? 'unknown',
            value: jobs,
            note: failed === 0 ? '' : `${grouped(failed)} failed`,
          })),
        ),
  );
}
