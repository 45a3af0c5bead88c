import { it } from 'vitest';
import { expectConvergence } from './history.ts';

it('after failures, a kill and two runs at once, one good run makes the lake equal to the truth of what it could see', () =>
  expectConvergence(
    [
      { kind: 'fault', fault: { kind: 'deny', api: 'ListCopyJobs', region: 'us-east-1' } },
      { kind: 'run', flags: { since: '4d' } },
      { kind: 'advance', hours: 30 },
      { kind: 'heal' },
      { kind: 'kill', step: 'before its coverage' },
      { kind: 'overlap' },
      { kind: 'fault', fault: { kind: 'server-error', count: 3 } },
      { kind: 'advance', hours: 5 },
    ],
    { days: 4, seed: 7 },
  ));
