/** How text and page say the same thing. */
import { age } from '../telemetry/human-units.ts';
import { count, grouped, listSome } from '../telemetry/paragraphs.ts';
import type { LostInterval, StatusReport } from './status-report.ts';

const shownRegions = 4;

/** `2026-11-21 02:00`: UTC. */
export function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** `31 h`, `6 days`, `6 days 5 h`. */
export function spanOf(hours: number): string {
  if (hours < 48) return `${Math.round(hours * 10) / 10} h`;
  const whole = Math.round(hours);
  const rest = whole % 24;
  return `${grouped(Math.floor(whole / 24))} days${rest === 0 ? '' : ` ${rest} h`}`;
}

/** How long before the report the last run began. */
export function sinceRun(asOf: string, now: string): string {
  const passed = Date.parse(now) - Date.parse(asOf);
  return Math.abs(passed) < 60_000 ? 'less than a minute' : age(passed);
}

/** How many regions a report speaks of. */
export function regionsOf(drains: StatusReport['drains']): number {
  return new Set(drains.map(({ region }) => region)).size;
}

/** The first regions by name, or all of them by number. */
export function placesLabel(regions: readonly string[], everywhere: number): string {
  return regions.length === everywhere && everywhere > shownRegions
    ? `all ${everywhere} regions`
    : listSome(regions, shownRegions);
}

/** The verdict in one sentence, then what follows from it. */
export function verdictLines(report: StatusReport): readonly [string, ...string[]] {
  const { totals, hours_to_loss: left, first_loss_at: at } = report;
  const gaps = `${count(totals.with_gaps, 'drain')} ${totals.with_gaps === 1 ? 'has a gap' : 'have gaps'}`;
  const clock =
    at === null || left === null
      ? []
      : left <= 0
        ? [`${gaps}, and AWS is deleting unread records now.`]
        : [`${gaps}. AWS begins to delete unread records at ${minute(at)}, in ${spanOf(left)}.`];
  const person =
    totals.need_person === 0
      ? []
      : [`${count(totals.need_person, 'target')} ${totals.need_person === 1 ? 'needs' : 'need'} a person.`];
  switch (report.verdict) {
    case 'nothing_read':
      return [`No run had read anything into this lake by ${minute(report.now)}.`];
    case 'lost':
      return [
        `Data is lost for good: ${count(totals.new_losses, 'interval')} that nobody has acknowledged.`,
        ...clock,
        ...person,
        ...(report.unread_objects.length === 0 ? [] : [`${unreadLine(report)}.`]),
      ];
    case 'incomplete':
      return [
        `${unreadLine(report)}, so this report is not complete.`,
        ...unreadMeans(report),
        ...clock,
        ...person,
      ];
    case 'at_risk':
      return [
        `${count(totals.at_risk, 'drain')} will lose data within ${spanOf(report.warn_within_hours)}.`,
        ...clock,
        ...person,
      ];
    case 'gaps':
      return ['Nothing is lost yet, but not everything is proven.', ...clock, ...person];
    case 'proven':
      return [
        totals.lost_intervals === 0
          ? 'Everything is proven.'
          : `Everything that AWS still keeps is proven. ${count(totals.lost_intervals, 'interval')} that AWS deleted earlier ${totals.lost_intervals === 1 ? 'stays' : 'stay'} on record.`,
      ];
  }
}

/** `1 object of the lake could not be read`. */
function unreadLine({ unread_objects: unread }: StatusReport): string {
  return `${count(unread.length, 'object')} of the lake could not be read`;
}

/** What a reader must not conclude from the rest of an incomplete report. */
function unreadMeans({ unread_objects: unread, totals }: StatusReport): readonly string[] {
  if (unread.some(({ key }) => key.startsWith('export_coverage/'))) {
    return [
      'Coverage files are among them. What only they prove is shown here as a gap or a loss, so there may be fewer gaps and losses than listed.',
    ];
  }
  return totals.drains > 0 && totals.with_gaps === 0 && totals.new_losses === 0
    ? ['The coverage was read whole: no run left a gap.']
    : [];
}

/** What no checkpoint vouches for, and what to do about it; empty: nothing. */
export function uncountedLines({ checkpoints }: StatusReport): readonly string[] {
  const [first] = checkpoints?.uncounted_runs ?? [];
  if (checkpoints === null || first === undefined) return [];
  const { newest, uncounted_runs: runs } = checkpoints;
  const which =
    runs.length === 1
      ? `1 run, of ${minute(first.as_of)}`
      : `${grouped(runs.length)} runs, the first of ${minute(first.as_of)}`;
  return [
    `The newest checkpoint (${newest.number}, of ${minute(newest.as_of)}) does not count ${which}: no checkpoint vouches for what ${runs.length === 1 ? 'it' : 'they'} wrote.`,
    newest.is_signed
      ? 'The lake’s checkpoints are signed: give export its --signing-key. Its next run counts these too.'
      : 'The next run counts these too.',
  ];
}

/** Copy jobs whose end no run has read and none can read any more; empty: there is none. */
export function endsUnknownLines({ totals, ends_unknown: ends }: StatusReport): readonly string[] {
  const { ends_unknown: jobs } = totals;
  if (jobs === 0 || ends.oldest === null) return [];
  const [them, they, was] = jobs === 1 ? ['it', 'it', 'It'] : ['them', 'they', 'The oldest'];
  return [
    `${count(jobs, 'copy job')} had not ended when a run last read ${them}, and AWS has deleted ${them} since: how ${they} ended is not known. ${was} was created at ${minute(ends.oldest)}.`,
  ];
}

/** What to do about objects that could not be read. */
export const unreadRemedy =
  'Run verify: it says what is wrong with each. repair says what can be brought back (docs/recovery.md).';

/** What AWS's counts and the record do not share. */
export function differenceOf({
  missing_jobs: missing,
  surplus_jobs: surplus,
}: {
  readonly missing_jobs: number;
  readonly surplus_jobs: number;
}): string {
  return [
    ...(missing > 0 ? [`${count(missing, 'job')} that the record lacks`] : []),
    ...(surplus > 0 ? [`${count(surplus, 'job')} fewer than the record has`] : []),
  ].join(' and ');
}

/** The same interval, lost in many accounts and regions, is told once. */
export function sameLosses(lost: readonly LostInterval[]): readonly (readonly LostInterval[])[] {
  const name = ({ table, from, to, is_new }: LostInterval) => `${table} ${from} ${to} ${is_new}`;
  return [...Map.groupBy(lost, name).values()];
}
