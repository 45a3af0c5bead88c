/** Reads lost_intervals, for the tests of what AWS has deleted. */
import { openInDuckDb } from './duckdb.ts';

export interface Lost {
  readonly table: unknown;
  readonly account: unknown;
  readonly from: number;
  readonly to: number;
  readonly noticed: number;
}

/** What the view lost_intervals says of a lake. */
export async function lostIntervals(lake: string): Promise<readonly Lost[]> {
  const duckdb = await openInDuckDb(lake);
  try {
    const { rows } = await duckdb.ask(
      'SELECT * FROM lost_intervals ORDER BY table_name, account_id, lost_from',
    );
    return rows.map((row) => ({
      table: row.table_name,
      account: row.account_id,
      from: Number(row.lost_from),
      to: Number(row.lost_to),
      noticed: Number(row.noticed_time),
    }));
  } finally {
    duckdb.close();
  }
}
