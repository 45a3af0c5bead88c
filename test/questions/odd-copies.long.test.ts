/** More lakes of odd copies than odd-copies.test.ts has. */
import { describeOddCopies } from '../support/answers/odd-copies.ts';

describeOddCopies('duckdb', 2);
describeOddCopies('parquetjs-lite', 3);
describeOddCopies('parquetjs-lite', 4);
