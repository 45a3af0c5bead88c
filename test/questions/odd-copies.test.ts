/** A lake of odd copies of each engine; odd-copies.long.test.ts has more of them. */
import { describeOddCopies } from '../support/answers/odd-copies.ts';

describeOddCopies('duckdb', 1);
describeOddCopies('parquetjs-lite', 3);
