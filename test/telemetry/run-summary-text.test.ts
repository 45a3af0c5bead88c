import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { adviceFor } from '../../src/telemetry/advice.ts';
import { printable } from '../../src/telemetry/printable.ts';
import type { RunSummary, TargetFailure } from '../../src/telemetry/run-summary.ts';
import { renderRunSummary } from '../../src/telemetry/run-summary-text.ts';
import { columnsOf } from '../../src/telemetry/screen.ts';

const esc = '\u001b';

function failure(i: number): TargetFailure {
  return {
    account_id: String(111122223300 + i),
    account_name: null,
    region: 'us-east-1',
    table: 'copy_jobs',
    status: 'ACCESS_DENIED',
    error: `AccessDeniedException: no. ${i}`,
    advice: adviceFor('ACCESS_DENIED', 'AccessDeniedException'),
    needs_person: true,
    read_through: '2026-11-08T02:00:00.000Z',
    first_loss_at: '2026-12-13T02:00:00.000Z',
  };
}

const summary: RunSummary = {
  run_id: '0199a1b2-0000-7000-8000-000000000000',
  lake: 's3://bucket/prefix',
  as_of: '2026-11-20T02:00:00Z',
  duration_ms: 185_000,
  targets: 80,
  coverage: { OK: 120, OK_EMPTY: 28, ACCESS_DENIED: 12, THROTTLED: 0 },
  tables: {
    copy_jobs: {
      added: 120_345,
      updated: 67,
      unchanged: 8_900,
      removed: 0,
      rejected: 2,
      parts_written: 31,
      bytes_written: 12_345_678,
    },
  },
  unknown_fields: {},
  altered_records: 0,
  failures: Array.from({ length: 12 }, (_, i) => failure(i)),
  reading: { pages: 640, rows: 61_000, retries: 12 },
  concurrency: { setting: 16, mean: 16, highest: 16, last: 16 },
  hours_to_data_loss: 336,
  phases_ms: { discover: 1200, drain: 150_000, publish: 33_000, ledger: 800 },
  moved_jobs: 0,
  foreign_objects: [],
  lost_intervals: [],
  reconciliation: null,
  ledger_error: null,
  checkpoint: null,
  checkpoint_error: null,
  checkpoint_skipped: null,
  witness_error: null,
  exit_code: 77,
};

describe('the summary of a run', () => {
  test('says rows, parts and bytes per table', () => {
    const text = renderRunSummary(summary);
    const header = text.split('\n').find((line) => line.includes('unchanged')) ?? '';
    const row = text.split('\n').find((line) => line.includes('12.3 MB')) ?? '';
    const cells = (line: string): readonly string[] =>
      line
        .split('│')
        .map((cell) => cell.trim())
        .filter(Boolean);
    expect(Object.fromEntries(cells(header).map((name, i) => [name, cells(row)[i]]))).toEqual({
      table: 'copy_jobs',
      new: '120,345',
      updated: '67',
      unchanged: '8,900',
      removed: '0',
      rejected: '2',
      parts: '31',
      bytes: '12.3 MB',
    });
  });

  test('says that the numbers of --concurrency auto are a limit, not what was read at once', () => {
    const concurrency = { setting: 'auto', mean: 16, highest: 16, last: 16 } as const;
    expect(renderRunSummary({ ...summary, concurrency })).toContain(
      'Concurrency: auto. Targets that may be read at once: 16 on average, 16 at the peak, 16 at the end\n',
    );
  });

  test('counts Parquet files of all tables where it tells of the checkpoint', () => {
    const checkpoint = {
      number: 1,
      key: '_ledger/checkpoints/00000/00000001.json',
      sha256: 'a'.repeat(64),
      root: 'b'.repeat(64),
      parts: 1,
      signed_by: null,
      signing_begins: false,
      adopted_runs: 0,
      unexplained_parts: [],
    };
    const said = (parts: number) => renderRunSummary({ ...summary, checkpoint: { ...checkpoint, parts } });
    expect(said(1)).toContain('Checkpoint 1: 1 Parquet file, SHA-256 aaaaaaaaaaaaaaaa…, not signed.');
    expect(said(47)).toContain('Checkpoint 1: 47 Parquet files, SHA-256');
  });

  test('says why the ledger could not be closed, and only then', () => {
    expect(renderRunSummary(summary)).not.toContain('unfinished');
    const said =
      'The ledger could not be closed, so the run shows as unfinished. The disk is full. Make room.';
    const text = renderRunSummary({ ...summary, ledger_error: said }).replaceAll('\n', ' ');
    expect(text).toContain(said);
  });

  test('says which fields have no column, and only where there are any', () => {
    expect(renderRunSummary(summary)).not.toContain('no column');
    const text = renderRunSummary({ ...summary, unknown_fields: { copy_jobs: ['Mood', 'Weather'] } }, 200);
    expect(text).toContain(
      'AWS sent fields for copy_jobs that this version has no column for. They are not in the lake: Mood, Weather\n',
    );
  });

  test('says drains by status, leaving out those with none, and keeps “target” for (account, region)', () => {
    const text = renderRunSummary(summary);
    expect(text).toMatch(/ACCESS_DENIED +│ +12 │/);
    expect(text).toMatch(/OK_EMPTY +│ +28 │/);
    expect(text).not.toContain('THROTTLED');
    expect(text).toContain('│ status        │ drains │');
    expect(text).toContain('80 targets, 160 drains as of 2026-11-20T02:00:00Z');
  });

  describe('names at its end whom only a person can heal', () => {
    const last = (text: string) => text.trimEnd().split('\n').at(-1);
    const throttled = { ...failure(20), status: 'THROTTLED', needs_person: false } as const;
    const noRole = { ...failure(1), table: 'copy_job_summaries', status: 'ASSUME_ROLE_FAILED' } as const;

    test.each([75, 77, 74, 69] as const)('with exit code %d', (exit_code) => {
      const failures = [...summary.failures, throttled];
      const text = renderRunSummary({ ...summary, failures, exit_code }, 80);
      expect(last(text)).toBe('12 targets need a person: 12 ACCESS_DENIED.');
      expect(text).toContain(`Exit code ${exit_code}: `);
    });

    test('both tables of a target count once', () => {
      const failures = [failure(1), { ...failure(1), table: 'copy_job_summaries' } as const];
      expect(last(renderRunSummary({ ...summary, failures }))).toBe(
        '1 target needs a person: 1 ACCESS_DENIED.',
      );
    });

    test('each status, or, where the line is too short for that, where to look', () => {
      const failures = [failure(0), noRole];
      expect(last(renderRunSummary({ ...summary, failures }, 80))).toBe(
        '2 targets need a person: 1 ACCESS_DENIED, 1 ASSUME_ROLE_FAILED.',
      );
      expect(last(renderRunSummary({ ...summary, failures }, 50))).toBe(
        '2 targets need a person: see → above.',
      );
    });

    test('and nobody where time heals all', () => {
      const text = renderRunSummary({ ...summary, failures: [throttled], exit_code: 75 }, 200);
      expect(text).not.toContain('a person:');
      expect(last(text)).toMatch(/^Exit code 75/);
    });
  });

  test('with colours it says the same, every status in one, and its lines fit as without', () => {
    const plain = renderRunSummary(summary, 80);
    const colored = renderRunSummary(summary, 80, true);
    expect(stripVTControlCharacters(colored)).toBe(plain);
    const red = (status: string) => `${esc}[31m${status}${esc}[39m`;
    expect(colored).toContain(`  ${red('ACCESS_DENIED')} in account`);
    expect(colored).toContain(`│ ${red('ACCESS_DENIED')} │`);
    expect(colored).toContain(`│ ${esc}[32mOK_EMPTY${esc}[39m `);
    expect(colored).toContain(`need a person: 12 ${red('ACCESS_DENIED')}.`);
  });

  test('says the ten worst causes in their order, each with what to do, and how many there are', () => {
    const text = renderRunSummary(summary);
    expect(text).toContain(
      '12 failures with 12 causes; these are the 10 most severe (--output json has all)',
    );
    expect(text.match(/ACCESS_DENIED in account/g)).toHaveLength(10);
    expect(text.match(/→ Allow the role backup:ListCopyJobs/g)).toHaveLength(10);
    expect(text.indexOf('no. 0')).toBeLessThan(text.indexOf('no. 9'));
    expect(text).not.toContain('no. 10');
  });

  test('an account that fails everywhere for one reason is one cause', () => {
    const everywhere = ['eu-west-1', 'us-east-1'].flatMap((region) =>
      (['copy_jobs', 'copy_job_summaries'] as const).map((table) => ({ ...failure(1), region, table })),
    );
    const text = renderRunSummary({ ...summary, failures: [...everywhere, failure(2)] }, 200);
    expect(text).toMatch(
      /ACCESS_DENIED in account 111122223301\n +in eu-west-1 \(copy_jobs, copy_job_summaries\), us-east-1 \(copy_jobs, copy_job_summaries\)\n/,
    );
    expect(text).toContain('5 failures:');
    expect(text.match(/→/g)).toHaveLength(2);
  });

  test('one cause in many accounts is said once: errors may differ by account, region and request', () => {
    const failures = Array.from({ length: 200 }, (_, i): TargetFailure => {
      const account = String(111122223300 + i);
      const region = i % 2 === 0 ? 'us-east-1' : 'eu-west-1';
      const id = `0199a1b2-0000-7000-8000-${String(i).padStart(12, '0')}`;
      return {
        ...failure(i),
        region,
        error: `User: arn:aws:sts::${account}:assumed-role/R in ${region} is not authorized (${id})`,
      };
    });
    const text = renderRunSummary({ ...summary, failures }, 200);
    expect(text).toContain(
      'ACCESS_DENIED in 200 accounts: 111122223300, 111122223301, 111122223302 and 197 more\n',
    );
    expect(text).toContain('for example: User: arn:aws:sts::111122223300:');
    expect(text.match(/→/g)).toHaveLength(1);
    const other = { ...failure(0), error: 'something else' };
    expect(renderRunSummary({ ...summary, failures: [...failures, other] }, 200).match(/→/g)).toHaveLength(2);
  });

  test('a failure without an error has no empty line for it', () => {
    const text = renderRunSummary({
      ...summary,
      failures: [{ ...failure(0), error: '', first_loss_at: null }],
    });
    expect(text).toMatch(/\(copy_jobs\)\n +→ Allow the role/);
  });

  test('says where the time went and what the exit code means', () => {
    const text = renderRunSummary(summary, 120);
    expect(text).toContain('in 3m 5s (discover 1.2s, drain 2m 30s, publish 33s, ledger 0.8s)');
    expect(text).toMatch(/Exit code 77: a person must act/);
  });

  test.each([30, 60, 80, 100])('fits a terminal of %d columns, and breaks no word', (columns) => {
    const text = renderRunSummary(summary, columns);
    const words = new Set(renderRunSummary(summary, 1000).split(/\s+/));
    for (const line of text.split('\n')) {
      const alone = line.trim().split(' ').length === 1;
      if (!alone) expect(line.length, line).toBeLessThanOrEqual(columns);
      if (!/[│┌├└]/.test(line) && columns > 60) {
        for (const word of line.trim().split(/\s+/)) expect(words).toContain(word);
      }
    }
    expect(text).toContain('120,345');
  });

  test('at 80 columns rows, parts and bytes are a table all the same, on its side', () => {
    const tables = Object.fromEntries(
      ['copy_jobs', 'copy_job_summaries'].map((table) => [table, summary.tables.copy_jobs]),
    );
    const text = renderRunSummary({ ...summary, tables: { ...summary.tables, ...tables } }, 80);
    expect(text).toMatch(/│ table +│ +copy_jobs │ copy_job_summaries │/);
    expect(text).toMatch(/│ new +│ +120,345 │ +120,345 │/);
    expect(text).toMatch(/│ bytes +│ +12\.3 MB │ +12\.3 MB │/);
  });

  test('where no table fits, a list says the same', () => {
    const text = renderRunSummary(summary, 20).replaceAll('\n  ', ' ');
    expect(text).toContain(
      'copy_jobs: new 120,345 · updated 67 · unchanged 8,900 · removed 0 · rejected 2 ·',
    );
  });

  test('a run that failed nowhere has no list of failures', () => {
    expect(renderRunSummary({ ...summary, failures: [], exit_code: 0 })).not.toMatch(/failure|worst/);
  });

  test('holds no escape, not even from a message of AWS', () => {
    const nasty = { ...failure(1), error: 'a\u001b[31mred\u0007\nFAKE\u202e' };
    const text = renderRunSummary({ ...summary, lake: '/tmp/\u001b[2J', failures: [nasty] });
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(text).not.toMatch(/^FAKE/m);
    expect(text).toContain('red');
  });

  test('says since when a target is unread, and when AWS deletes the first of it', () => {
    const failures = [failure(1), { ...failure(2), first_loss_at: '2026-11-22T14:00:00.000Z' }];
    expect(renderRunSummary({ ...summary, failures }, 200)).toContain(
      'URGENT: AWS begins to delete unread records on 2026-11-22T14:00:00.000Z (in 2 days). Unread for 12 days, since 2026-11-08T02:00:00.000Z.',
    );
    const late = {
      ...failure(1),
      read_through: '2026-10-01T02:00:00.000Z',
      first_loss_at: '2026-11-05T02:00:00.000Z',
    };
    expect(renderRunSummary({ ...summary, failures: [late] }, 200)).toContain(
      'URGENT: AWS has been deleting unread records since 2026-11-05T02:00:00.000Z, and each hour deletes more. Unread for 50 days, since 2026-10-01T02:00:00.000Z.',
    );
    expect(renderRunSummary({ ...summary, failures: [late] }, 200)).toContain(
      '\nAWS is deleting unread records now: copy_jobs of 111122223301 in us-east-1 since 2026-11-05T02:00:00.000Z.\n',
    );
    const never = { ...failure(1), read_through: null, first_loss_at: null };
    expect(renderRunSummary({ ...summary, failures: [never] }, 200)).not.toMatch(/nread|first loss/);
    const beyond = { ...failure(1), error: 'EmptyWindow: AWS was not asked' };
    expect(renderRunSummary({ ...summary, failures: [beyond] }, 200)).not.toMatch(/nread|first loss/);
  });

  test('does not tell of the 28th night in the words of the first', () => {
    const onNight = (nights: number) => {
      const through = Date.parse('2026-11-20T02:00:00Z') - nights * 86_400_000;
      const one = {
        ...failure(1),
        account_name: 'payments-prod',
        read_through: new Date(through).toISOString(),
        first_loss_at: new Date(through + 30 * 86_400_000).toISOString(),
      };
      return renderRunSummary({ ...summary, failures: [one] }, 200);
    };
    expect(onNight(1)).toContain('      Unread for 24 h, since 2026-11-19T02:00:00.000Z. AWS begins');
    expect(onNight(1)).not.toContain('URGENT');
    expect(onNight(28)).toContain(
      '      URGENT: AWS begins to delete unread records on 2026-11-22T02:00:00.000Z (in 2 days).',
    );
    expect(onNight(28)).toContain(
      '\nThe first loss is on 2026-11-22T02:00:00.000Z (in 2 days): copy_jobs of payments-prod (111122223301) in us-east-1.\n',
    );
  });

  test('names what AWS deleted before a run read it, the first five', () => {
    const lost = Array.from({ length: 7 }, (_, i) => ({
      account_id: String(111122223300 + i),
      account_name: 'payments-prod',
      region: 'us-east-1',
      table: 'copy_jobs' as const,
      lost_from: '2026-10-01T02:00:00.000Z',
      lost_to: '2026-10-06T02:00:00.000Z',
    }));
    const text = renderRunSummary({ ...summary, failures: [], lost_intervals: lost }, 200);
    expect(text).toContain('Lost for good: AWS deleted 7 intervals before a run read them.');
    expect(text).toContain(
      'copy_jobs from 2026-10-01T02:00:00.000Z to 2026-10-06T02:00:00.000Z (5 days): payments-prod (111122223300) in us-east-1, ',
    );
    expect(text).toContain(' and 4 more\n');
    const each = lost.map((one, i) => ({ ...one, lost_from: `2026-09-1${i}T02:00:00.000Z` }));
    const separate = renderRunSummary({ ...summary, failures: [], lost_intervals: each }, 200);
    expect(separate.match(/copy_jobs from 2026-09/g)).toHaveLength(5);
    expect(separate).toContain('  and 2 more (--output json has all)');
    expect(renderRunSummary(summary, 200)).not.toContain('Lost for good');
  });
});

test('a terminal that does not know its width is taken for 80 columns, no terminal for 100', () => {
  expect([{ columns: 0 }, {}, { columns: 132 }].map(columnsOf)).toEqual([80, 100, 132]);
});

test('printable text keeps letters of every script and loses control characters', () => {
  expect(printable('Zürich 𝒳 日本\u0000\u001b]0;x\u0007 a\r\nb\u2028')).toBe(
    'Zürich 𝒳 日本\ufffd]0;x\ufffd a b\ufffd',
  );
});
