import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LakeReader } from '../../src/query/lake-reader.ts';
import type { TextFormat } from '../../src/query/result-formats.ts';
import type { Session } from '../../src/query/session.ts';
import { answer, type QueryRequest } from '../../src/query/write-result.ts';
import { job, newLake, type WrittenLake } from './written-lake.ts';

const esc = '\u001b';
/** What a terminal obeys. */
const obeyed = /(?![\t\n\r])[\p{Cc}\u202e]/u;
const messages = [
  'plain',
  '',
  'emoji 🧯 and 👩‍👩‍👧 and 日本語',
  'quotes " and \' and ""',
  'lines\nand\r\nmore\rlines',
  'a,b;c\td',
  'long '.repeat(2000),
  `${esc}]0;title\u0007${esc}[2J${esc}[31mred`,
  '\u009b31mred',
  '\u202eevil',
  '\\u0041 \\n',
];
const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', "=cmd|' /C calc'!A0", '＝1+1'];

let lake: WrittenLake;
let reader: LakeReader;
let session: Session;
let folder: string;
beforeAll(async () => {
  lake = await newLake();
  const all = [...messages, ...formulas, null];
  await lake.write(
    all.map((message, at) =>
      job(`job-${String(at).padStart(3, '0')}`, {
        status_message: message,
        backup_size_in_bytes: Number.MAX_SAFE_INTEGER - at,
      }),
    ),
  );
  reader = await lake.read();
  session = {
    url: 'lake',
    ask: (_lookBack, _signal, use) => use(reader, () => undefined),
    coverage: async () => 'read through now',
    close: async () => undefined,
  };
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-formats-'));
});
afterAll(async () => {
  await lake.close();
  await rm(folder, { recursive: true, force: true });
});

const own = (sql: string): QueryRequest => ({ sql, lookBack: null });
const limits = { timeoutMs: 60_000, signal: new AbortController().signal };

async function asked(
  sql: string,
  format: TextFormat,
  options: {
    readonly raw?: boolean;
    readonly terminal?: boolean;
    readonly onCut?: (shown: number) => void;
  } = {},
): Promise<string> {
  const stream = new PassThrough();
  const read = text(stream);
  const whole = { raw: false, terminal: false, width: null, onCut: () => undefined, ...options };
  await answer(session, own(sql), { kind: 'stream', stream, format }, limits, whole);
  stream.end();
  return await read;
}

const sql =
  'SELECT copy_job_id, status_message, backup_size_in_bytes, creation_time FROM copy_jobs ORDER BY 1';

describe('CSV', () => {
  test('a library reads back every message as it is, and tells no message from an empty one', async () => {
    const written = await asked(sql, 'csv');
    const rows: string[][] = parse(written, { from_line: 2 });
    expect(rows.slice(0, messages.length).map((row) => row[1])).toEqual(messages);
    expect(written).toMatch(/^job-001,"",/m);
    expect(written).toMatch(/^job-019,,/m);
  });

  test('texts that a spreadsheet would run begin with an apostrophe, and with --raw they do not', async () => {
    const rows: string[][] = parse(await asked(sql, 'csv'), { from_line: 2 });
    const raw: string[][] = parse(await asked(sql, 'csv', { raw: true }), { from_line: 2 });
    const from = messages.length;
    expect(rows.slice(from, -1).map((row) => row[1])).toEqual(formulas.map((one) => `'${one}`));
    expect(raw.slice(from, -1).map((row) => row[1])).toEqual(formulas);
  });

  test('no escape reaches a terminal, with --raw either', async () => {
    const escaped = "SELECT '=1' || chr(27) || ']0;x' || chr(7) AS a";
    for (const [raw, first] of [
      [false, "'=1"],
      [true, '=1'],
    ] as const) {
      const written = await asked(escaped, 'csv', { raw, terminal: true });
      expect(written).toContain(first);
      expect(written.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expect(await asked(escaped, 'csv', { raw })).toContain(`${first}\u001b]0;x\u0007`);
    }
  });

  test('negative numbers are numbers', async () => {
    expect(await asked('SELECT -1 AS a, -1.5::DOUBLE AS b, -2.25::DECIMAL(5, 2) AS c', 'csv')).toBe(
      'a,b,c\n-1,-1.5,-2.25\n',
    );
  });

  test('integers are exact and instants are ISO 8601 in UTC', async () => {
    const [first = []]: string[][] = parse(await asked(sql, 'csv'), { from_line: 2 });
    expect(first.slice(2)).toEqual(['9007199254740991', '2026-11-20T01:02:03.456Z']);
    const exotic = `SELECT 9223372036854775807 AS a, 170141183460469231731687303715884105727::HUGEINT AS b,
      TIMESTAMP '1969-12-31 23:59:59.999999' AS c, DATE '2026-11-20' AS d, [1, NULL] AS e`;
    expect(await asked(exotic, 'csv')).toBe(
      'a,b,c,d,e\n9223372036854775807,170141183460469231731687303715884105727,1969-12-31T23:59:59.999999Z,2026-11-20,"[1,null]"\n',
    );
  });

  test('on a terminal, nothing in it is obeyed', async () => {
    expect(await asked(sql, 'csv', { terminal: true })).not.toMatch(obeyed);
  });
});

describe('JSON', () => {
  test('every value comes back, and no character in it is obeyed by a terminal', async () => {
    const written = await asked(sql, 'json');
    const rows: unknown = JSON.parse(written);
    expect(rows).toEqual(
      [...messages, ...formulas, null].map((message, at) => ({
        copy_job_id: `job-${String(at).padStart(3, '0')}`,
        status_message: message,
        backup_size_in_bytes: Number.MAX_SAFE_INTEGER - at,
        creation_time: '2026-11-20T01:02:03.456Z',
      })),
    );
    expect(written).not.toMatch(obeyed);
  });

  test('integers that a double would round are texts', async () => {
    const written = await asked(
      'SELECT 9007199254740993 AS a, sum(9223372036854775807) AS b, 1 AS a',
      'json',
    );
    expect(JSON.parse(written)).toEqual([{ a: '9007199254740993', b: '9223372036854775807', 'a:1': 1 }]);
  });

  test('no rows are an empty array', async () => {
    expect(JSON.parse(await asked('SELECT 1 WHERE false', 'json'))).toEqual([]);
  });
});

describe('a table', () => {
  test('shows each row on one line, with nothing that a terminal obeys', async () => {
    const written = await asked(sql, 'table');
    expect(written).not.toMatch(obeyed);
    expect(written).not.toMatch(/[\r\t]/);
    expect(written.trimEnd().split('\n')).toHaveLength(messages.length + formulas.length + 1 + 4);
    expect(written).toContain('日本語');
    expect(written).toContain('9007199254740991');
    expect(Math.max(...written.split('\n').map((line) => line.length))).toBeLessThan(250);
  });

  test('ends after a thousand rows, and says so', async () => {
    const cuts: number[] = [];
    const written = await asked('FROM range(5000)', 'table', { onCut: (shown) => cuts.push(shown) });
    expect(cuts).toEqual([1000]);
    expect(written.trimEnd().split('\n')).toHaveLength(1004);
    await asked('FROM range(1000)', 'table', { onCut: (shown) => cuts.push(shown) });
    expect(cuts).toEqual([1000]);
  });
});

describe('a file', () => {
  const options = { raw: false, terminal: false, width: null, onCut: () => undefined };

  test('of Parquet is read by another reader, to the value', async () => {
    const path = join(folder, "it's.parquet");
    await answer(session, own(`${sql}; -- done`), { kind: 'file', path, format: 'parquet' }, limits, options);
    const bytes = await readFile(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows = await parquetReadObjects({ file, compressors });
    expect(rows.map((row) => row.status_message)).toEqual([...messages, ...formulas, null]);
    expect(rows[0]).toMatchObject({
      backup_size_in_bytes: 9007199254740991n,
      creation_time: new Date('2026-11-20T01:02:03.456Z'),
    });
  });

  test('of Parquet takes what DESCRIBE shows', async () => {
    const path = join(folder, 'described.parquet');
    await answer(
      session,
      own('-- what a copy job is\nDESCRIBE copy_jobs'),
      { kind: 'file', path, format: 'parquet' },
      limits,
      options,
    );
    expect((await readFile(path)).subarray(0, 4).toString()).toBe('PAR1');
  });

  test('that was there stays when the query fails, and nothing unfinished is left', async () => {
    const path = join(folder, 'kept.csv');
    await writeFile(path, 'before');
    const failing = "SELECT CASE WHEN range = 4000 THEN error('late') ELSE 1 END AS a FROM range(5000)";
    await expect(
      answer(session, own(failing), { kind: 'file', path, format: 'csv' }, limits, options),
    ).rejects.toThrow(/late/);
    expect(await readFile(path, 'utf8')).toBe('before');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('is never put in the place of something else, such as a folder or a device', async () => {
    const socket = join(folder, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    try {
      for (const path of [folder, socket]) {
        const asked = answer(
          session,
          own('SELECT 1'),
          { kind: 'file', path, format: 'csv' },
          limits,
          options,
        );
        await expect(asked).rejects.toThrow(/exists and is not a regular file/);
      }
    } finally {
      server.close();
    }
  });

  test('in a folder that is not there is an error with the path', async () => {
    const path = join(folder, 'none', 'x.csv');
    await expect(
      answer(session, own('SELECT 1'), { kind: 'file', path, format: 'csv' }, limits, options),
    ).rejects.toThrow(/cannot be written to .*none.*\(ENOENT\)/);
  });
});

describe('limits', () => {
  const endless = 'SELECT count(*) FROM range(1000000000) a, range(1000000) b';
  const destination = { kind: 'stream', stream: new PassThrough(), format: 'csv' } as const;
  const options = { raw: false, terminal: false, width: null, onCut: () => undefined };

  test('a query that takes too long is stopped, and the next one runs', async () => {
    await expect(
      answer(session, own(endless), destination, { ...limits, timeoutMs: 100 }, options),
    ).rejects.toThrow(/did not finish within 0\.1 s\. Raise --timeout/);
    expect(await asked('SELECT 1 AS a', 'csv')).toBe('a\n1\n');
  });

  test('a query that is interrupted stops, and the next one runs', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await expect(
      answer(session, own(endless), destination, { ...limits, signal: stop.signal }, options),
    ).rejects.toThrow(/was interrupted/);
    expect(await asked('SELECT 1 AS a', 'csv')).toBe('a\n1\n');
  });
});
