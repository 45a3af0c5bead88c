/** Random mixtures of faults that pass: whatever the seed draws, nothing may be lost and nobody blamed. */
import type { Hurt } from '../hurts.ts';
import type { Scenario } from '../scenario.ts';
import { type Draws, drawsOf } from '../seeded.ts';
import { jsonRefusal, page, s3Refusal, stsRefusal } from './answers.ts';

/** `mixture-N`: which faults, their targets and their shares follow from N and the seed. Null for another name. */
export function mixture(name: string): Scenario | null {
  const number = /^mixture-(\d+)$/.exec(name)?.[1];
  if (number === undefined) return null;
  const shape = drawsOf('shape', Number(number));
  const lake = shape.pick(['local', 's3'] as const);
  return {
    name,
    kind: 'mixtures',
    cause: 'way',
    lake,
    way: shape.pick(['endpoint', 'proxy'] as const),
    nights: (draws) =>
      Array.from({ length: 2 }, () => ({
        // What was read and could not be published is 74; what could not be read is 75, or 69 if it was all.
        codes: lake === 's3' ? [0, 69, 74, 75] : [0, 69, 75],
        deadlineSeconds: 30,
        hurts: Array.from({ length: 2 + draws.below(4) }, () => anyHurt(draws, lake === 's3')),
        meets: false,
        run: { flags: { 'target-timeout': '8s' } },
      })),
  };
}

function anyHurt(draws: Draws, withS3: boolean): Hurt {
  const probability = 0.02 + draws.fraction() * 0.3;
  const services = [
    'sts',
    'organizations',
    'account',
    'backup',
    'backup',
    'backup',
    ...(withS3 ? ['s3', 's3'] : []),
  ];
  const service = draws.pick(services);
  const busy =
    service === 's3'
      ? s3Refusal(503, 'SlowDown', 'Please reduce your request rate.')
      : service === 'sts'
        ? stsRefusal(400, 'Throttling', 'Rate exceeded')
        : jsonRefusal(400, 'ThrottlingException', 'Rate exceeded');
  const kinds: readonly Hurt[] = [
    { stage: 'connect', service, probability, deed: { kind: 'drop' } },
    { stage: 'connect', service, probability, deed: { kind: 'garbage' } },
    { stage: 'connect', service, probability, deed: { kind: 'alert' } },
    { stage: 'connect', service, probability, deed: { kind: 'answer', answer: page(503) } },
    { service, probability, deed: { kind: 'drop' } },
    { service, probability, deed: { kind: 'reset' } },
    { service, probability, deed: { kind: 'garbage' } },
    { service, probability, deed: { kind: 'lose' } },
    { service, probability, deed: { kind: 'cut', bytes: draws.below(400) } },
    { service, probability, deed: { kind: 'delay', ms: draws.below(1500) } },
    { service, probability, deed: { kind: 'drip', ms: draws.below(1500) } },
    {
      service,
      probability,
      deed: { kind: 'answer', answer: page(draws.pick([200, 302, 403, 502, 503, 504])) },
    },
    { service, probability, deed: { kind: 'answer', answer: busy } },
  ];
  return draws.pick(kinds);
}
