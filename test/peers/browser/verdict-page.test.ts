/**
 * The verdict page in a real browser, of a whole and of a damaged lake, in both colour schemes: no script error, no request, no
 * accessibility violation (axe-core), and the numbers of --output json.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderVerdictPage } from '../../../src/verify/verdict-page.ts';
import type { VerifyReport } from '../../../src/verify/verify-report.ts';
import { remove } from '../../verify/damage.ts';
import { part } from '../../verify/damages.ts';
import { makeNightLake, verified } from '../../verify/night-lake.ts';
import { openAll, openPages, type Pages, rows, texts, violations } from './opened-page.ts';

let pages: Pages;
/** As a program reads them. */
const reports: Partial<Record<'whole' | 'damaged', VerifyReport>> = {};
beforeAll(async () => {
  pages = await openPages();
  const nights = await makeNightLake();
  try {
    const proofs = { 'public-key': nights.key.publicFile, witness: nights.witness };
    reports.whole = JSON.parse(JSON.stringify(await verified(await nights.copy(), proofs)));
    const lake = await nights.copy();
    truncateSync(join(lake, part(lake, 0)), 100);
    remove(lake, part(lake, 1));
    writeFileSync(join(lake, '_ledger/<b>notes.txt'), 'x');
    reports.damaged = JSON.parse(JSON.stringify(await verified(lake, { subset: '1/2' })));
  } finally {
    await nights.close();
  }
}, 120_000);
afterAll(() => pages?.close());

const grouped = (n: number) => n.toLocaleString('en-US');

describe.each(['whole', 'damaged'] as const)('the verdict on a %s lake', (name) => {
  const report = (): VerifyReport => {
    const found = reports[name];
    if (found === undefined) throw new Error('there is no report');
    return found;
  };

  it.each(['light', 'dark'] as const)('breaks no rule in the %s scheme', async (scheme) => {
    await pages.open(renderVerdictPage(report()), scheme, async (page) => {
      expect(await violations(page)).toEqual([]);
      await openAll(page);
      expect(await violations(page)).toEqual([]);
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    });
  });

  it('shows the numbers of --output json', async () => {
    const { checked, findings, parts_in_lake: all, proven, not_proven: open, exit_code: code } = report();
    await pages.open(renderVerdictPage(report()), 'light', async (page) => {
      expect(await texts(page, '.figure .n')).toEqual(
        [findings.length, checked.parts, checked.rows, checked.runs, checked.checkpoints].map(grouped),
      );
      const notes = await texts(page, '.figure .of');
      const objects = new Set(findings.map(({ key }) => key)).size;
      expect(notes[0]).toBe(`in ${objects} ${objects === 1 ? 'object' : 'objects'}`);
      expect(notes[1]).toContain(`of ${grouped(all)}`);
      expect(notes.join()).toContain(`${checked.unfinished_runs} unfinished`);
      expect(notes.join()).toContain(`${checked.signed_checkpoints} signed by the given key`);
      expect(await rows(page, '#findings')).toEqual(
        findings.map(({ key, kind, what, remedy }) => [key, kind, `${what}.`, remedy]),
      );
      expect(await texts(page, '#proven li')).toEqual(proven);
      expect(await texts(page, '#not-proven li')).toEqual(open);
      expect(await page.textContent('body')).toContain(`Exit code ${code}`);
      const kinds = [...new Set(findings.map(({ kind }) => kind))];
      expect(kinds).toEqual(
        name === 'whole' ? [] : expect.arrayContaining(['part-missing', 'foreign-object']),
      );
    });
  });
});
