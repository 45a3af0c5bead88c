/** The report of a whole organization: exit codes, causes, text and page, for 5 and for 500 accounts. */
import { expect, it } from 'vitest';
import { makeReport } from '../../src/status/make-report.ts';
import { renderStatusPage } from '../../src/status/status-page.ts';
import type { StatusReport } from '../../src/status/status-report.ts';
import { renderStatus } from '../../src/status/status-text.ts';
import {
  day,
  failing,
  hour,
  lastRun,
  limits,
  now,
  organization,
  runId,
  withTrouble,
} from './organizations.ts';

const denied = (readTo: number, accounts = 1) =>
  organization(5, 2, (drain, account) =>
    account < accounts
      ? failing(drain, readTo, 'ASSUME_ROLE_FAILED', 'AccessDenied', `not for ${drain.accountId}`)
      : drain,
  );

const outcome = ({ exit_code: code, verdict, totals }: StatusReport) => [
  code,
  verdict,
  totals.with_gaps,
  totals.at_risk,
  totals.lost_intervals,
  totals.new_losses,
];

it('exits with 0 while nothing is at risk, with 75 at risk, with 66 for a loss', () => {
  expect(outcome(makeReport(organization(5, 2), limits))).toEqual([0, 'proven', 0, 0, 0, 0]);
  expect(outcome(makeReport(denied(lastRun - 6 * day), limits))).toEqual([0, 'gaps', 4, 0, 0, 0]);
  const wide = { ...limits, warnWithinMs: 8 * day };
  expect(outcome(makeReport(denied(lastRun - 6 * day), wide))).toEqual([75, 'at_risk', 4, 2, 0, 0]);
  expect(outcome(makeReport(denied(lastRun - 12 * day), limits))).toEqual([75, 'at_risk', 4, 2, 0, 0]);
  expect(outcome(makeReport(denied(lastRun - 14 * day), limits))).toEqual([66, 'lost', 4, 2, 2, 2]);
  const nothing = organization(0, 0);
  expect(outcome(makeReport(nothing, limits))).toEqual([75, 'nothing_read', 0, 0, 0, 0]);
});

it('finds the most urgent of very many targets that fail alike', () => {
  const [cause] = makeReport(
    organization(65_000, 1, (drain) =>
      failing(drain, lastRun - 6 * day, 'ASSUME_ROLE_FAILED', 'AccessDenied', 'not for you'),
    ),
    limits,
  ).causes;
  expect(cause?.drains).toBe(130_000);
  expect(cause?.hours_to_loss).toBe(cause === undefined ? 0 : (Date.parse(cause.first_loss_at) - now) / hour);
});

it('no longer exits with 66 for what was acknowledged, or lost before --lost-since; more loss is new again', () => {
  const facts = denied(lastRun - 20 * day);
  const known = { last: { at: '', by: 'somebody' }, includes: () => true };
  expect(outcome(makeReport({ ...facts, acknowledged: known }, limits))).toEqual([75, 'at_risk', 4, 2, 2, 0]);
  // The loss goes on: its newest moment was lost just now.
  expect(outcome(makeReport(facts, { ...limits, lostSince: now - hour }))[0]).toBe(66);
  const healed = organization(5, 2, (drain) => {
    const [whole] = drain.proven;
    if (whole === undefined) return drain;
    const hole = { from: lastRun - 60 * day, to: lastRun - 50 * day };
    return {
      ...drain,
      proven: [
        { ...whole, to: hole.from },
        { from: hole.to, to: whole.to },
      ],
    };
  });
  expect(outcome(makeReport(healed, limits))).toEqual([66, 'lost', 0, 0, 20, 20]);
  expect(outcome(makeReport(healed, { ...limits, lostSince: now - 7 * day }))).toEqual([
    0,
    'proven',
    0,
    0,
    20,
    0,
  ]);
});

it('counts one cause once, with its accounts, since when, and when the first loss is', () => {
  const report = makeReport(denied(lastRun - 6 * day, 3), limits);
  expect(report.causes).toMatchObject([
    {
      cause: 'ASSUME_ROLE_FAILED',
      needs_person: true,
      since: new Date(lastRun - 5 * day).toISOString(),
      first_loss_at: new Date(lastRun + 8 * day).toISOString(),
      hours_to_loss: 8 * 24 - 7,
      drains: 12,
      targets: 6,
      regions: ['us-east-1', 'us-east-2'],
    },
  ]);
  expect(report.causes[0]?.accounts).toHaveLength(3);
  expect(report.drains.slice(0, 12).every(({ state }) => state === 'gap')).toBe(true);
});

it('counts a run that died against what it planned, and not while it may be running', () => {
  const facts = organization(2, 1);
  const [first] = facts.coverage.drains;
  if (first === undefined) throw new Error('no drain');
  const run = { runId: runId(now - 3 * hour), asOf: now - 3 * hour, planned: [first] };
  const died = makeReport({ ...facts, unfinished: [{ ...run, mayBeRunning: false }] }, limits);
  expect(died.causes).toMatchObject([{ cause: 'UNFINISHED', drains: 1, needs_person: false }]);
  expect(died.drains[0]?.gaps).toMatchObject([{ from: new Date(lastRun).toISOString(), hours: 7 }]);
  const running = makeReport({ ...facts, unfinished: [{ ...run, mayBeRunning: true }] }, limits);
  expect([running.causes, running.unfinished_runs.length]).toEqual([[], 1]);
  const over = makeReport(
    { ...facts, unfinished: [{ ...run, asOf: lastRun - hour, mayBeRunning: false }] },
    limits,
  );
  expect([over.causes, over.unfinished_runs]).toEqual([[], []]);
});

it('asks nothing of an account that is planned no more, and leaves out accounts on request', () => {
  const gone = organization(3, 1, (drain, account) =>
    account === 0
      ? { ...drain, lastAsked: lastRun - 20 * day, proven: [{ from: 0, to: lastRun - 20 * day }] }
      : drain,
  );
  const plannedNoMore = new Set(gone.coverage.drains.slice(0, 2));
  const report = makeReport({ ...gone, plannedNoMore }, limits);
  expect(outcome(report)).toEqual([0, 'proven', 0, 0, 0, 0]);
  expect(report.totals.planned_no_more).toBe(2);
  const unknown = makeReport(gone, limits);
  expect(unknown.causes).toMatchObject([{ cause: 'NO_RUN', drains: 2 }]);
  const account = gone.coverage.drains[0]?.accountId ?? '';
  const without = makeReport(gone, { ...limits, excludeAccounts: [account] });
  expect([outcome(without), without.totals.accounts]).toEqual([[0, 'proven', 0, 0, 0, 0], 2]);
});

it('says in text who needs somebody, since when, and when the first loss is', () => {
  const text = renderStatus(makeReport(denied(lastRun - 6 * day, 3), limits), 90);
  expect(text).toContain('Nothing is lost yet, but not everything is proven.');
  expect(text).toContain('12 drains have gaps. AWS begins to delete unread records at 2026-11-29 02:00');
  expect(text).toContain('ASSUME_ROLE_FAILED in 3 accounts: payments-prod (100000000000), ');
  expect(text).toContain('since 2026-11-16 02:00');
  expect(text).toContain('First loss at 2026-11-29 02:00, in 7 days 17 h.');
  expect(text).toContain('8 of 20 drains');
  expect(text.split('\n').every((line) => line.length <= 90)).toBe(true);
  expect(text).toMatch(/Exit code 0: [^\n]+\n/);
});

it('stays readable with 500 accounts in 17 regions, as text and as a page', () => {
  const report = withTrouble(500, 17);
  const text = renderStatus(report, 100);
  expect(text.split('\n').length).toBeLessThan(60);
  expect(text).toContain('all 17 regions');
  const page = renderStatusPage(report);
  expect(page.length).toBeLessThan(1_000_000);
  const wells = new Set(report.drains.map((one) => one.account_id)).size - 18;
  expect(page).toContain(`${wells} accounts are well in all 17 regions`);
});

it('stays small when every account has trouble of its own', () => {
  const facts = organization(500, 17, (drain, account, region) =>
    failing(drain, lastRun - (account % 30) * day - region * hour, 'ACCESS_DENIED', 'AccessDenied', ''),
  );
  const report = makeReport(facts, limits);
  expect(report.totals.with_gaps).toBe(17_000);
  expect(renderStatusPage(report).length).toBeLessThan(4_000_000);
  expect(renderStatus(report, 100).split('\n').length).toBeLessThan(120);
});

it('escapes what comes from outside', () => {
  const page = renderStatusPage(withTrouble(5, 4));
  expect(page).not.toContain('<script>alert');
  expect(page).toContain('&lt;script&gt;alert(&quot;policy&quot;)&lt;/script&gt;');
  expect(renderStatus(withTrouble(5, 4), 80, false)).not.toContain('\u001b');
});

it('says how long ago the last run began, also if that was just now', () => {
  const report = makeReport(organization(5, 2), limits);
  const asOf = report.last_run?.as_of ?? '';
  expect(renderStatus(report, 200)).toMatch(/The last run began at [-\d: ]+, 7 h before\./);
  for (const passed of [0, 59_000]) {
    const soon = { ...report, now: new Date(Date.parse(asOf) + passed).toISOString() };
    expect(renderStatus(soon, 200)).toContain(', less than a minute before.');
    expect(renderStatusPage(soon)).toContain(', less than a minute ago.');
  }
});

it('names the days on which AWS counts other jobs than the record has, or says that all agree', () => {
  const text = renderStatus(withTrouble(5, 2));
  expect(text).toMatch(/AWS counts 3 jobs that the record lacks, in 1 of 130 comparisons/);
  expect(text).toMatch(
    /in us-east-1: AWS counts 1,041, the record has\s+1,038:\s+3\s+jobs that the record lacks/,
  );
  expect(renderStatus(makeReport(organization(5, 2), limits))).toMatch(
    /AWS’s own counts agree with the lake in all 130 comparisons/,
  );
});
