/** Removes secrets from log lines and from AWS's messages: by the name of their field, by their form, and by their value. */

const hidden = '[redacted]';

/** Names of fields whose values are secret. Case, dashes and underscores do not matter. */
const secretName =
  /authorization|secret|password|credential|cookie|externalid|accesskey|privatekey|amzsignature|(session|security|next|id|auth|access|refresh|bearer)?token$/;

/** What secrets look like in text: signatures, presigned URLs, session tokens, access keys, passwords in URLs. */
const secretForms: readonly (readonly [RegExp, string])[] = [
  [/AWS4-[A-Z0-9-]+ Credential=[^"\\\r\n]*/g, hidden],
  [/(X-Amz-(?:Security-Token|Signature|Credential)["']?\s*[=:]\s*["']?)[^&\s"'\\]+/gi, `$1${hidden}`],
  // Session tokens of STS are base64 and start with one of these.
  [/\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{20,}/g, hidden],
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: the prefixes of access keys
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, hidden],
  [/(\/\/[^/\s:@"]*:)[^/\s@"]+@/g, `$1${hidden}@`],
];

/** Deeper than any log line of this program. Deeper fields are left out. */
const deepest = 8;

/** What a log line keeps of an error: never its request, response or headers. */
export interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly stack?: string;
}

/** An error as it is logged. An error for people (it has an `exitCode`) gets no stack: its message says everything. */
export function loggedError(error: Error): LoggedError {
  // Safe: these properties are read as unknown and checked before use.
  const { code, Code, exitCode, $metadata } = error as Error & Record<string, unknown>;
  const requestId =
    typeof $metadata === 'object' && $metadata !== null && 'requestId' in $metadata
      ? $metadata.requestId
      : undefined;
  const named = typeof code === 'string' ? code : Code;
  return {
    name: error.name,
    message: error.message,
    ...(typeof named === 'string' ? { code: named } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
    ...(exitCode === undefined && error.stack !== undefined ? { stack: error.stack } : {}),
  };
}

/** A copy of a log line's fields, with short errors, secret fields redacted, and cycles and deep nesting cut. */
export function withoutSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactFields(fields, [fields]);
}

function redactFields(fields: object, above: readonly object[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretName.test(name.toLowerCase().replace(/[-_]/g, '')) ? hidden : redactValue(value, above),
    ]),
  );
}

function redactValue(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return loggedError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return '[circular]';
  if (above.length >= deepest) return '[deeper]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item) => redactValue(item, path));
  return redactFields(value instanceof Map ? Object.fromEntries(value) : value, path);
}

/** A copy of JSON values in which each text and each field's name went through `clean`. Numbers are no texts: JSON stays JSON. */
export function cleanTexts(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map((item) => cleanTexts(item, clean));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [clean(name), cleanTexts(inner, clean)]),
  );
}

/**
 * Removes from a text the known secrets, and what looks like one.
 * @param secrets values of this run, such as the external id. Values shorter than 6 characters are ignored: they would
 *   match everywhere
 */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const known = secrets
    .filter((secret) => secret.length >= 6)
    // Also as the value appears in JSON or a URL.
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of new Set(known)) clean = clean.replaceAll(secret, hidden);
    for (const [form, replacement] of secretForms) clean = clean.replace(form, replacement);
    return clean;
  };
}
