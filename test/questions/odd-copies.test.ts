/** A lake of odd copies; odd-copies.long.test.ts has more of them, of the other engine too. */
import { describeOddCopies } from '../support/answers/odd-copies.ts';

describeOddCopies('duckdb', 1);
