/** What Trino reads, by its own statistics, of a lake of a year when it is asked for one day and one account. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partKey } from '../../../src/lake/layout.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import type { Row } from '../../../src/tables/table.ts';
import type { ReadStatistics, Trino } from './client.ts';
import { type LakeInTrino, openInTrino } from './lake-in-trino.ts';
import { type EngineName, engines, partsBelow, writePart } from './lakes.ts';

const dayMs = 24 * 3_600_000;
const accounts = 30;
/** So that a large day has more rows than DuckDB sorts at once. */
const rowsPerAccount = 1500;
const days = Array.from({ length: 365 }, (_, at) =>
  new Date(Date.UTC(2025, 10, 21) + at * dayMs).toISOString().slice(0, 10),
);
/** Large days, in turns by one engine and the other; all others are small. */
const largeDays = days.filter((_, at) => at % 12 === 6);
/** In the middle of the accounts, and so within one row group. */
const askedFor = accountAt(15);

export function pruning(trino: () => Trino): void {
  describe('of a lake of 365 days', () => {
    let lake: string;
    let lakeBytes: number;
    let inTrino: LakeInTrino;
    const table: Record<string, string | number>[] = [];

    beforeAll(async () => {
      lake = await mkdtemp(join(tmpdir(), 'bce-year-'));
      await writeYear(lake);
      const sizes = await Promise.all((await partsBelow(lake)).map(async (part) => (await stat(part)).size));
      expect(sizes.length).toBe(days.length);
      lakeBytes = sizes.reduce((sum, size) => sum + size, 0);
      inTrino = await openInTrino(trino(), 'year', `local://${lake}`, [], [copyJobs]);
    });
    afterAll(async () => {
      console.table(table);
      await rm(lake, { recursive: true, force: true });
    });

    it.each(engines)('one day and one account is a row group of one part, by %s', async (engine) => {
      const day = largeDayOf(engine);
      const part = join(lake, partKey(copyJobs, { creation_date: day }, 0));
      const { size } = await stat(part);
      const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(part));
      expect(groups.length).toBeGreaterThan(2);
      // A row group ends with each of the files that were joined.
      if (engine === 'duckdb') expect(Number(groups[1]?.num_rows)).toBeLessThan(Number(groups[2]?.num_rows));
      expect(size).toBeGreaterThan(3_000_000);

      const read = async (what: string, sql: string, rows: number): Promise<ReadStatistics> => {
        const asked = await inTrino.ask(sql);
        expect(asked.rows.length).toBe(rows);
        const statistics = await trino().statistics(asked.answer);
        table.push({
          engine,
          query: what,
          'bytes read': statistics.physicalInputBytes,
          'of the lake, %': Number(((statistics.physicalInputBytes * 100) / lakeBytes).toFixed(3)),
          'of the part, %': Number(((statistics.physicalInputBytes * 100) / size).toFixed(1)),
          'rows read': statistics.physicalInputRows,
          'rows of the part': accounts * rowsPerAccount,
        });
        return statistics;
      };
      const whole = await read(
        'one day',
        `SELECT * FROM copy_jobs WHERE creation_date = '${day}'`,
        accounts * rowsPerAccount,
      );
      const one = await read(
        'one day, one account',
        `SELECT * FROM copy_jobs WHERE creation_date = '${day}' AND account_id = '${askedFor}'`,
        rowsPerAccount,
      );
      await read(
        'one day, one account, four columns',
        `SELECT copy_job_id, state, creation_time, backup_size_in_bytes FROM copy_jobs
         WHERE creation_date = '${day}' AND account_id = '${askedFor}'`,
        rowsPerAccount,
      );
      const largest = Math.max(...groups.map((group) => Number(group.num_rows)));
      expect(whole.physicalInputRows).toBe(accounts * rowsPerAccount);
      expect(one.physicalInputRows).toBeGreaterThanOrEqual(rowsPerAccount);
      expect(one.physicalInputRows).toBeLessThanOrEqual(largest);
      expect(one.physicalInputBytes).toBeLessThan(lakeBytes * 0.02);
      expect(one.physicalInputBytes).toBeLessThan(size * 0.6);
    });
  });
}

/** The other days of a kind hold the same bytes: here it matters how many there are, not what they say. */
async function writeYear(lake: string): Promise<void> {
  const large: Record<EngineName, string> = {
    duckdb: await writeLarge(lake, 'duckdb'),
    'parquetjs-lite': await writeLarge(lake, 'parquetjs-lite'),
  };
  const [smallDay = ''] = days;
  const small = await writePart(lake, 'duckdb', smallDay, rowsOf(smallDay, 1));
  const written = new Set([...Object.values(large), small]);
  for (const day of days) {
    const part = join(lake, partKey(copyJobs, { creation_date: day }, 0));
    if (written.has(part)) continue;
    await mkdir(dirname(part), { recursive: true });
    const turn = largeDays.indexOf(day);
    await link(turn < 0 ? small : large[engines[turn % 2] ?? 'duckdb'], part);
  }
}

function writeLarge(lake: string, engine: EngineName): Promise<string> {
  const day = largeDayOf(engine);
  return writePart(lake, engine, day, rowsOf(day, rowsPerAccount), { areKnown: true });
}

function largeDayOf(engine: EngineName): string {
  const day = largeDays[engines.indexOf(engine)];
  if (day === undefined) throw new Error(`${engine} has no large day`);
  return day;
}

function accountAt(at: number): string {
  return String(100_000_000_000 + at * 7_000_000_001);
}

function rowsOf(day: string, perAccount: number): readonly Row[] {
  const start = Date.parse(`${day}T00:00:00.000Z`);
  return Array.from({ length: accounts * perAccount }, (_, at) => {
    const account = accountAt(at % accounts);
    const id = randomUUID();
    return {
      copy_job_id: id,
      account_id: account,
      region: 'us-east-1',
      source_backup_vault_arn: `arn:aws:backup:us-east-1:${account}:backup-vault:prod`,
      destination_backup_vault_arn: `arn:aws:backup:eu-west-1:${account}:backup-vault:copies`,
      source_recovery_point_arn: `arn:aws:ec2:us-east-1::snapshot/snap-${randomUUID()}`,
      destination_recovery_point_arn: `arn:aws:ec2:eu-west-1::snapshot/snap-${randomUUID()}`,
      resource_arn: `arn:aws:ec2:us-east-1:${account}:volume/vol-${id.slice(0, 6)}`,
      resource_type: 'EBS',
      state: 'COMPLETED',
      backup_size_in_bytes: at * 4096,
      creation_time: start + (at % 86_400) * 1000,
      completion_time: start + (at % 86_400) * 1000 + 60_000,
      observed_at: start + dayMs,
      first_observed_at: start + dayMs,
      run_id: 'run',
      creation_date: day,
    };
  });
}
