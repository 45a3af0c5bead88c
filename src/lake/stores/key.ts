import { LakeError } from '../../shared/errors.ts';

/** S3's own bound on a key, in bytes of UTF-8 (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html). */
export const maximumKeyBytes = 1024;

/** The store's own files in a local lake: never objects. */
const internal = /^_ledger\/(lock$|tmp(\/|$))/;

/**
 * The key itself, when every store can hold it: parts separated by `/`, none of them empty, `.` or `..`;
 * no control characters (an XML listing cannot carry them), no backslashes (a separator elsewhere).
 * Fails with a LakeError otherwise, so that no key leads out of the lake.
 */
export function checkedKey(key: string): string {
  const complaint = keyComplaint(key);
  if (complaint !== null) {
    throw new LakeError(
      `The key ${JSON.stringify(key)} ${complaint}`,
      'Keys are made by src/lake/layout.ts; please report this as a defect.',
    );
  }
  return key;
}

function keyComplaint(key: string): string | null {
  if (Buffer.byteLength(key) > maximumKeyBytes) return `is longer than ${maximumKeyBytes} bytes`;
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(key)) return 'holds a control character or a backslash';
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return 'has a part that is empty, "." or ".."';
  }
  return internal.test(key) ? 'names a file that the store keeps for itself' : null;
}

/** True for the files that a local store keeps beside the objects. */
export function isInternal(key: string): boolean {
  return internal.test(key);
}

/** S3's order: by the bytes of the key's UTF-8 (JavaScript compares UTF-16 units). */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
