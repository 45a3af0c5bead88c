import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LakeReader, openLakeReader } from '../../src/query/lake-reader.ts';
import { parseQuerySettings } from '../../src/query/query-settings.ts';
import { openSession, type Session } from '../../src/query/session.ts';
import { job, newLake, rowsOf, type WrittenLake } from './written-lake.ts';

let lake: WrittenLake;
let session: Session | undefined;
beforeEach(async () => {
  lake = await newLake();
  await lake.write([job('old', { creation_time: Date.UTC(2026, 10, 19) }), job('new')]);
});
afterEach(async () => {
  await session?.close();
  await lake.close();
});

/** A session whose parts change behind its back: right after each of the first openings. */
async function sessionWith(
  changes: readonly (() => Promise<void>)[],
  flags: Readonly<Record<string, string>> = {},
  newestRun: string | null = null,
) {
  const left = [...changes];
  const notes: string[] = [];
  const settings = parseQuerySettings({
    flags: { lake: lake.folder, scratch: join(lake.folder, '..', 'session'), ...flags },
    env: {},
    cwd: '/',
    temporaryFolder: '/',
    readFile: () => '',
  });
  session = await openSession(
    settings,
    {
      log: pino({ level: 'silent' }),
      note: (line) => notes.push(line),
      signal: new AbortController().signal,
      today: '2026-11-20',
      openReader: async (options) => {
        const reader = await openLakeReader(options);
        await left.shift()?.();
        return { ...reader, newestRun };
      },
    },
    undefined,
  );
  return { session, notes };
}

const take = (day: string) => () => rm(lake.part(day));
const sql = 'SELECT copy_job_id FROM copy_jobs';
const running = new AbortController().signal;

test('a part that cannot be read is looked for once more, over a fresh listing', async () => {
  const opened = await sessionWith([take('2026-11-19')]);
  expect(await opened.session.ask(null, running, (reader) => rowsOf(reader, sql))).toEqual([['new']]);
  expect(opened.notes).toEqual([expect.stringMatching(/could not be read.*once more/)]);
});

test('a second time is an error that says to run the query again', async () => {
  const { session } = await sessionWith([take('2026-11-19'), take('2026-11-20')]);
  await expect(session.ask(null, running, (reader) => rowsOf(reader, sql))).rejects.toThrow(
    /A part of .* could not be read.*run the query again/,
  );
});

test('nothing is asked again once rows have gone out', async () => {
  const { session } = await sessionWith([take('2026-11-19')]);
  const asked = session.ask(null, running, async (reader, went) => {
    went();
    return await rowsOf(reader, sql);
  });
  await expect(asked).rejects.toThrow(/A part of .* could not be read/);
});

describe('a question', () => {
  const ids = (reader: LakeReader) => rowsOf(reader, `${sql} ORDER BY 1`);

  test('that looks at days which --from and --to leave out is answered with a remark on how many', async () => {
    const { session, notes } = await sessionWith([], { from: '2026-11-20' }, '2026-11-20');
    expect(await session.ask('every day', running, ids)).toEqual([['new']]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^the result is incomplete: the question needs 1 day that .* exclude, the first is 2026-11-19$/,
      ),
    ]);
    await session.ask(1, running, ids);
    expect(notes.length).toBe(2);
    await session.ask(0, running, ids);
    await session.ask(null, running, ids);
    expect(notes.length).toBe(2);
  });

  test('over a lake in which no run has ended says so: there is no now to go by', async () => {
    const { session, notes } = await sessionWith([]);
    await session.ask(7, running, ids);
    expect(notes).toEqual([expect.stringMatching(/^no export has finished in this lake yet/)]);
  });
});
