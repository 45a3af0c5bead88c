import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLakeReader } from '../../src/query/lake-reader.ts';
import { openSession, type Session } from '../../src/query/session.ts';
import { parseQuerySettings } from '../../src/query/settings.ts';
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
async function sessionWith(changes: readonly (() => Promise<void>)[]) {
  const left = [...changes];
  const notes: string[] = [];
  const settings = parseQuerySettings({
    flags: { lake: lake.folder, scratch: join(lake.folder, '..', 'session') },
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
        return reader;
      },
    },
    undefined,
  );
  return { session, notes };
}

const take = (day: string) => () => rm(lake.part(day));
const sql = 'SELECT copy_job_id FROM copy_jobs';

test('a part that cannot be read is looked for once more, over a fresh listing', async () => {
  const opened = await sessionWith([take('2026-11-19')]);
  expect(await opened.session.ask((reader) => rowsOf(reader, sql))).toEqual([['new']]);
  expect(opened.notes).toEqual([expect.stringMatching(/could not be read.*once more/)]);
});

test('a second time is an error that says to ask again', async () => {
  const { session } = await sessionWith([take('2026-11-19'), take('2026-11-20')]);
  await expect(session.ask((reader) => rowsOf(reader, sql))).rejects.toThrow(
    /A part of .* could not be read.*ask again/,
  );
});

test('nothing is asked again once rows have gone out', async () => {
  const { session } = await sessionWith([take('2026-11-19')]);
  const asked = session.ask(async (reader, went) => {
    went();
    return await rowsOf(reader, sql);
  });
  await expect(asked).rejects.toThrow(/A part of .* could not be read/);
});
