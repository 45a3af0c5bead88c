/** Refuses a witness in the lake: whoever can write to the lake could change its copies. */
import type { ConfigError, UsageError } from '../shared/errors.ts';
import { liesIn } from './real-place.ts';
import type { LakeLocation } from './typed-values.ts';

/** @param where where the option was set */
export function refuseWitnessInLake(
  { lake, witness }: { readonly lake: LakeLocation; readonly witness: LakeLocation | null },
  where: string,
  Class: typeof UsageError | typeof ConfigError,
): void {
  if (witness === null || !(isBelow(witness, lake) || isBelow(lake, witness))) return;
  throw new Class(
    `${where} names a place in the lake, or around it`,
    'Use another bucket or folder, one that whoever owns the lake cannot write to.',
  );
}

function isBelow(inner: LakeLocation, outer: LakeLocation): boolean {
  if (inner.kind === 'local') return outer.kind === 'local' && liesIn(inner.folder, outer.folder);
  return outer.kind === 's3' && `${urlOf(inner)}/`.startsWith(`${urlOf(outer)}/`);
}

function urlOf({ bucket, prefix }: Extract<LakeLocation, { readonly kind: 's3' }>): string {
  return prefix === '' ? bucket : `${bucket}/${prefix}`;
}
