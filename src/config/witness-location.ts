/** Refuses a witness in the lake: whoever can write to the lake could change its copies. */
import type { ConfigError, UsageError } from '../shared/errors.ts';
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
  return `${textOf(inner)}/`.startsWith(`${textOf(outer)}/`);
}

function textOf(location: LakeLocation): string {
  if (location.kind === 'local') return location.folder;
  return `s3://${location.bucket}${location.prefix === '' ? '' : `/${location.prefix}`}`;
}
