/** Says how complete the lake is when a query has no rows: how far it was read, and how many targets are missing. */
import { questionSql } from '../questions/question-sql.ts';
import { loadQuestions } from '../questions/questions.ts';
import type { LakeReader } from './lake-reader.ts';
import { instantToMinute, textOf } from './value-text.ts';

/** The question that lists these targets. Its SQL is used to count them, so that both agree. */
const behindQuestion = 'targets-without-good-drain';

/** The views that the description needs. */
export const readForCoverage: ReadonlySet<string> = new Set(['lake_time', 'target_drains']);

/** `read through 2026-11-20 02:00Z, 3 targets without a good drain`: one line, without a full stop. */
export async function describeCoverage({ connection }: Pick<LakeReader, 'connection'>): Promise<string> {
  const question = loadQuestions().find(({ name }) => name === behindQuestion);
  if (question === undefined) throw new Error(`there is no question ${behindQuestion}`);
  const reader = await connection.runAndReadAll(
    `SELECT (SELECT max(as_of) FROM lake_time), count(DISTINCT (account_id, region)),
       count(DISTINCT (account_id, region)) FILTER (last_status = 'REGION_DISABLED')
     FROM (${questionSql(question)}\n)`,
  );
  const [[asOf = null, targets = 0, disabled = 0] = []] = reader.getRows();
  if (asOf === null) return 'no export has finished in this lake yet, so it may be incomplete';
  const through = instantToMinute(textOf(asOf) ?? '');
  const without = `${targets} ${Number(targets) === 1 ? 'target' : 'targets'} without a good drain`;
  const ofThem = Number(disabled) === 0 ? '' : ` (${disabled} of them in a disabled region)`;
  const where = Number(targets) === 0 ? '' : `; query ${behindQuestion} lists them`;
  return `read through ${through}, ${without}${ofThem}${where}`;
}
