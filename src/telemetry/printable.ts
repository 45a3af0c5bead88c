/**
 * Replaces every control character in text from outside (AWS's messages, account names), so that it cannot move the
 * cursor, change the terminal or forge a line. Replaces bidirectional overrides too.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, (found) =>
    /^[\t\n\r]+$/.test(found) ? ' ' : '\ufffd',
  );
}
