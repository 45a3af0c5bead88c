/** Staged lines, read again. */
import type { JobLinesOptions } from '../../src/lake/job-line.ts';
import type { PartLines } from '../../src/lake/job-lines.ts';
import type { Row } from '../../src/tables/table.ts';

export function stagedRows(parts: readonly PartLines[]): Row[] {
  return parts.flatMap(({ bytes }) =>
    Buffer.concat(bytes)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  );
}

/** No job was seen on another day before. */
export const undated: JobLinesOptions['creationDates'] = {
  firstDate: (_bucket, _id, created) => created,
  load: async () => undefined,
};
