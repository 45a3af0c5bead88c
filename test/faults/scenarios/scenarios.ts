/** All scenarios, in the order of the report. */
import type { Scenario } from '../scenario.ts';
import { answersOnTheWay } from './answers-on-the-way.ts';
import { aws } from './aws.ts';
import { clocks } from './clocks.ts';
import { connections } from './connections.ts';
import { damage } from './damage.ts';
import { processes } from './process.ts';
import { s3 } from './s3.ts';

export const scenarios: readonly Scenario[] = [
  ...clocks,
  ...damage,
  ...connections,
  ...answersOnTheWay,
  ...aws,
  ...s3,
  ...processes,
];
