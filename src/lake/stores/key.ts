import { LakeError } from '../../shared/errors.ts';

/** S3's limit for a key, in bytes of UTF-8 (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html). */
export const maximumKeyBytes = 1024;

/** Internal files of a local store. They are no objects. */
const internal = /^_ledger\/(lock$|tmp(\/|$))/;

/**
 * Returns the key if every store can hold it: segments separated by `/`, none of them empty, `.` or `..`; no control
 * characters (XML listings cannot contain them), no backslashes (a separator on some systems). Otherwise throws a
 * LakeError, so that no key leads out of the lake.
 */
export function checkedKey(key: string): string {
  const complaint = keyComplaint(key);
  if (complaint !== null) {
    throw new LakeError(
      `The key ${JSON.stringify(key)} ${complaint}`,
      'This is a bug in src/lake/layout.ts: please report it.',
    );
  }
  return key;
}

function keyComplaint(key: string): string | null {
  if (Buffer.byteLength(key) > maximumKeyBytes) return `is longer than ${maximumKeyBytes} bytes`;
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  if (/\\|(?=\p{ASCII})\p{Cc}/u.test(key)) return 'contains a control character or a backslash';
  if (key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'has a segment that is empty, "." or ".."';
  }
  return internal.test(key) ? 'is the name of an internal file of the store' : null;
}

/** True for the internal files of a local store. */
export function isInternal(key: string): boolean {
  return internal.test(key);
}

/** S3's order: by the UTF-8 bytes of the key. JavaScript would compare UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
