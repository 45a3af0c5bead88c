/** More cases than merge-sql.test.ts has. */
import { describe } from 'vitest';
import { duckDbAgrees } from './merge-agreement.ts';

describe('DuckDB agrees with the reference', () => {
  duckDbAgrees({ upserts: 17, newParts: 6, few: 6, slices: 17 });
});
