/** A damaged lake: `status` says what it still can, and names what it could not read. */

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { openLakeReader } from '../../src/query/lake-reader.ts';
import { loadQuestions } from '../../src/questions/questions.ts';
import { renderStatusPage } from '../../src/status/status-page.ts';
import type { StatusReport } from '../../src/status/status-report.ts';
import { renderStatus } from '../../src/status/status-text.ts';
import { keysIn, remove } from '../verify/damage.ts';
import { at, part } from '../verify/damages.ts';
import { makeNightLake, type NightLake } from '../verify/night-lake.ts';
import { statusOf } from './lake-status.ts';

let nights: NightLake;
let whole: StatusReport;
beforeAll(async () => {
  nights = await makeNightLake();
  whole = await statusOf(await nights.copy());
}, 60_000);
afterAll(() => nights.close());

const unreadIn = ({ unread_objects: unread }: StatusReport) => unread.map(({ key }) => key);

it('reads a whole lake whole', () => {
  expect(whole).toMatchObject({ exit_code: 0, verdict: 'proven', unread_objects: [] });
  expect(renderStatus(whole)).not.toContain('Not read');
});

it('classifies failures as the question failures-by-category does', async () => {
  const lake = await nights.copy();
  const store = await openLocalStore({ folder: lake, create: false });
  const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-failures-'));
  const scratch = { folder, reserve: () => () => undefined, bytes: () => 0, limitBytes: 1e9 };
  const reader = await openLakeReader({ store, folder: lake, scratch, memoryLimitBytes: 5e8 });
  try {
    const question = at(
      loadQuestions().filter(({ name }) => name === 'failures-by-category'),
      0,
    );
    const rows = await reader.connection.runAndReadAll(question.sql.replaceAll(':days', '34'));
    const counted = new Map<string, number>();
    for (const { message_category: category, cause, failed } of rows.getRowObjectsJS()) {
      const name = `${category}: ${cause}`;
      counted.set(name, (counted.get(name) ?? 0) + Number(failed));
    }
    const told = whole.copies.failures_by_category.map(
      ({ message_category: category, cause, failed }) =>
        [`${category ?? 'unknown'}: ${cause}`, failed] as const,
    );
    expect(new Map(told)).toEqual(counted);
    expect(told.length).toBeGreaterThan(0);
    expect(told.reduce((sum, [, failed]) => sum + failed, 0)).toBe(
      whole.copies.days.reduce((sum, { failed }) => sum + failed, 0),
    );
  } finally {
    await reader.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
});

const oneObject: Readonly<Record<string, (lake: string) => string>> = {
  'a part that was cut': (lake) => {
    truncateSync(join(lake, part(lake)), 60);
    return part(lake);
  },
  'a part that is empty': (lake) => {
    writeFileSync(join(lake, part(lake)), '');
    return part(lake);
  },
  'a part of another day': (lake) => {
    writeFileSync(join(lake, part(lake)), readFileSync(join(lake, part(lake, 1))));
    return part(lake);
  },
  'a part whose pages are noise': (lake) => {
    const bytes = readFileSync(join(lake, part(lake)));
    const footer = bytes.readUInt32LE(bytes.length - 8) + 8;
    bytes.fill(0xa5, 4, bytes.length - footer);
    writeFileSync(join(lake, part(lake)), bytes);
    return part(lake);
  },
  'lake.json that is gone': (lake) => {
    remove(lake, '_ledger/lake.json');
    return '_ledger/lake.json';
  },
  'lake.json that is no JSON': (lake) => {
    writeFileSync(join(lake, '_ledger/lake.json'), '{');
    return '_ledger/lake.json';
  },
};

it.each(Object.keys(oneObject))('says all that it can beside %s', async (name) => {
  const lake = await nights.copy();
  const damaged = oneObject[name]?.(lake) ?? '';
  const report = await statusOf(lake);
  expect(unreadIn(report)).toEqual([damaged]);
  expect(report).toMatchObject({
    exit_code: 74,
    verdict: 'incomplete',
    totals: { proven: whole.totals.proven },
  });
  expect(report.drains.map(({ proven }) => proven)).toEqual(whole.drains.map(({ proven }) => proven));
  const jobs = ({ copies }: StatusReport) => copies.days.reduce((sum, day) => sum + day.jobs, 0);
  if (damaged.startsWith('copy_jobs/')) expect(jobs(report)).toBeLessThan(jobs(whole));
  else expect(report.copies).toEqual(whole.copies);
  const text = renderStatus(report, 400);
  expect(text).toContain(`${damaged}: `);
  expect(text).toContain('1 object of the lake could not be read, so this report is not complete.');
  expect(text).toContain('Exit code 74: part of the lake could not be read.');
  expect(renderStatusPage(report)).toContain(damaged);
});

it.each(['cut', 'gone'])(
  'calls nothing lost for certain while a coverage file is %s, and acknowledges nothing',
  async (how) => {
    const lake = await nights.copy();
    const keys = keysIn(lake, 'export_coverage');
    const [first = ''] = keys;
    if (how === 'cut') truncateSync(join(lake, first), 50);
    else remove(lake, first);
    // Years later, what the first night alone proved counts as unproven, and AWS has deleted it.
    const later = Date.UTC(2030, 0, 1);
    const report = await statusOf(lake, {}, later);
    expect(unreadIn(report)).toEqual([first]);
    if (how === 'cut') expect(report.unread_objects[0]?.why).toBe('it is not a complete Parquet file');
    expect(report).toMatchObject({ exit_code: 74, verdict: 'incomplete' });
    expect(report.totals.new_losses).toBeGreaterThan(0);
    expect(renderStatus(report, 400)).toContain('there may be fewer gaps and losses than listed');
    await expect(statusOf(lake, { acknowledge: 'true' }, later)).rejects.toMatchObject({
      exitCode: 74,
      message: expect.stringContaining('nothing was acknowledged'),
    });
  },
);

it('counts a certain loss before an object that it could not read', async () => {
  const lake = await nights.copy();
  truncateSync(join(lake, part(lake)), 60);
  const report = await statusOf(lake, {}, Date.UTC(2030, 0, 1));
  expect(unreadIn(report)).toHaveLength(1);
  expect(report).toMatchObject({ exit_code: 66, verdict: 'lost' });
});
