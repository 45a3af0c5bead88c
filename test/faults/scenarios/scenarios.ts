/** All scenarios, in the order of the report. */
import type { Scenario } from '../scenario.ts';
import { connections } from './connections.ts';

export const scenarios: readonly Scenario[] = [...connections];
