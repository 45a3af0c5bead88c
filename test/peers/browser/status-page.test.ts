/**
 * The status page in a real browser, with 5 and with 500 accounts, in both colour schemes: no script error, no request,
 * no accessibility violation (axe-core), usable by keyboard and on a narrow screen, and the numbers of --output json.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderStatusPage } from '../../../src/status/status-page.ts';
import type { StatusReport } from '../../../src/status/status-report.ts';
import { withTrouble } from '../../status/organizations.ts';
import { openAll, openPages, type Pages, rows, type Scheme, texts, violations } from './opened-page.ts';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages.close());

const open = (report: StatusReport, scheme: Scheme, use: (page: Page) => Promise<void>) =>
  pages.open(renderStatusPage(report), scheme, use);

const grouped = (n: number) => n.toLocaleString('en-US');
const minute = (iso: string) => iso.slice(0, 16).replace('T', ' ');
const tags = (page: Page, selector: string) => texts(page, `${selector} .tag`);

describe.each([
  [5, 4],
  [500, 17],
])('with %i accounts in %i regions', (accounts, regions) => {
  // As a program reads it, not as the page was given it.
  const report: StatusReport = JSON.parse(JSON.stringify(withTrouble(accounts, regions)));

  it.each(['light', 'dark'] as const)('breaks no rule in the %s scheme, folded and open', async (scheme) => {
    await open(report, scheme, async (page) => {
      expect(await violations(page)).toEqual([]);
      await openAll(page);
      expect(await violations(page)).toEqual([]);
    });
  });

  it('shows the numbers of --output json', async () => {
    await open(report, 'light', async (page) => {
      await openAll(page);
      const { totals, copies, causes, lost, drains } = report;
      expect((await texts(page, '.figure .n')).filter((_, at) => [0, 1, 3, 5].includes(at))).toEqual(
        [totals.proven, totals.with_gaps, totals.lost_intervals, totals.open_jobs].map(grouped),
      );
      expect(await texts(page, '.figure .of')).toEqual(
        expect.arrayContaining([
          `of ${grouped(totals.drains)} drains in ${grouped(totals.accounts)} accounts`,
          `${grouped(totals.at_risk)} at risk within 2 days`,
          `intervals, ${grouped(totals.new_losses)} new`,
        ]),
      );
      expect(await tags(page, '#causes')).toEqual(causes.map(({ cause }) => cause));
      const causeRows = await rows(page, '#causes');
      expect(causeRows.map(([, , since]) => since)).toEqual(causes.map(({ since }) => minute(since)));
      for (const [at, { accounts: named }] of causes.entries()) {
        expect(causeRows[at]?.[1]).toContain(
          named.length === 1 ? named[0]?.account_id : `${grouped(named.length)} accounts`,
        );
      }
      expect((await rows(page, '#lost')).map(([span, , table]) => `${table} ${span}`)).toEqual([
        ...new Set(lost.map(({ table, from, to }) => `${table} ${minute(from)} – ${minute(to)}`)),
      ]);
      expect(await rows(page, '#record')).toEqual(
        report.record_against_aws.differences.map((one) => [
          one.day,
          `${one.account_name} (${one.account_id}) · ${one.region}`,
          ...[one.aws_count, one.lake_count, one.missing_jobs, one.surplus_jobs].map(grouped),
        ]),
      );
      expect(await rows(page, '#success')).toEqual(
        [...copies.days]
          .reverse()
          .map((day) => [
            day.day,
            ...[day.jobs, day.completed, day.failed, day.partly_done, day.still_open].map(grouped),
            `${day.success_percent?.toFixed(2)} %`,
          ]),
      );
      expect(await texts(page, '#failures .n b')).toEqual(
        copies.failures_by_category.map(({ failed }) => grouped(failed)),
      );
      const routes = (await rows(page, '#routes')).flatMap(([, ...cells]) =>
        cells.filter((cell) => cell !== '–'),
      );
      expect([...routes].sort()).toEqual(
        copies.routes
          .map(({ jobs, failed }) =>
            failed === 0 ? grouped(jobs) : `${grouped(jobs)}${grouped(failed)} failed`,
          )
          .sort(),
      );
      // One strip for each account, with its gaps and losses in words.
      const spoken = await page
        .locator('#coverage details > summary .strip svg, #coverage details.all > .row .strip svg')
        .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
      const byAccount = Map.groupBy(drains, ({ account_id }) => account_id);
      for (const [id, own] of byAccount) {
        const label = spoken.find((one) => one.includes(`(${id})`)) ?? '';
        for (const { from, to } of own.flatMap(({ gaps, lost: losses }) => [...gaps, ...losses])) {
          expect(label).toContain(`${minute(from)} to ${minute(to)}`);
        }
        if (own.every(({ gaps, lost: losses }) => gaps.length + losses.length === 0)) {
          expect(label).toContain('nothing is missing');
        }
      }
    });
  });

  it('can be used by keyboard, on a narrow screen and on paper', async () => {
    await open(report, 'light', async (page) => {
      const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const light = await background();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the report');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await background()).not.toBe(light);
      expect(await texts(page, '.scheme')).toEqual(['Light colours']);
      await page.keyboard.press('Enter');
      expect(await background()).toBe(light);

      const account = page.locator('#coverage details > summary').first();
      await account.focus();
      await page.keyboard.press('Enter');
      expect(await page.locator('#coverage details').first().getAttribute('open')).toBe('');
      expect(await page.locator('#coverage details .inner .row').first().isVisible()).toBe(true);

      await page.setViewportSize({ width: 360, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      expect((await page.pdf({ printBackground: true })).length).toBeGreaterThan(10_000);
    });
  });
});
