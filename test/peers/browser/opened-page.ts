/** A page that the program made, opened in Chromium from a file: whatever the browser complains of, or asks for, fails the test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { openChromium } from './chromium.ts';

export type Scheme = 'light' | 'dark';

export interface Pages {
  /** Opens the HTML, and then expects that there was no script error, no message and no request. */
  open(html: string, scheme: Scheme, use: (page: Page) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function openPages(): Promise<Pages> {
  const browser = await openChromium();
  const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-pages-'));
  let opened = 0;
  return {
    async open(html, scheme, use) {
      opened += 1;
      const file = join(folder, `${opened}.html`);
      await writeFile(file, html);
      const context = await browser.newContext({
        colorScheme: scheme,
        viewport: { width: 1200, height: 900 },
      });
      try {
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
        page.on('request', (request) => {
          if (request.url() !== pathToFileURL(file).href && !request.url().startsWith('data:'))
            complaints.push(`request to ${request.url()}`);
        });
        await page.goto(pathToFileURL(file).href);
        await use(page);
        expect(complaints).toEqual([]);
      } finally {
        await context.close();
      }
    },
    async close() {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The rules that the page breaks, with the first element that does. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate<AxeResults>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

export const texts = (page: Page, selector: string): Promise<string[]> =>
  page
    .locator(selector)
    .evaluateAll((all) => all.map((one) => (one.textContent ?? '').replace(/\s+/g, ' ').trim()));

/** The rows of a table, each as its cells. */
export const rows = (page: Page, selector: string): Promise<string[][]> =>
  page
    .locator(`${selector} tbody tr`)
    .evaluateAll((all) =>
      all.map((row) =>
        [...row.querySelectorAll('th, td')].map((cell) =>
          (cell.textContent ?? '').replace(/\s+/g, ' ').trim(),
        ),
      ),
    );

export const openAll = (page: Page) =>
  page.locator('details').evaluateAll((all) => {
    for (const one of all) one.setAttribute('open', '');
  });
