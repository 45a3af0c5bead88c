/** Tells whether a response is AWS's, or comes from something in between (a proxy, a firewall, a captive portal). */
import { scrubber } from '../shared/redact.ts';

/** What is known about a response before its body is read. */
export interface ResponseHead {
  readonly method: string;
  /** The query of the request, by name. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How to recognize the responses of one service. */
export interface ResponseOrigin {
  /** Who should have responded, for messages. */
  readonly name: string;
  /** Null: only the body can tell. */
  byHead(head: ResponseHead): boolean | null;
  byBody(head: ResponseHead, body: string): boolean;
}

/** AWS's services use different header names: docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html mentions both kinds. */
const requestIdNames = ['x-amzn-requestid', 'x-amz-request-id', 'x-amzn-request-id', 'x-amz-id-2'] as const;

export function requestIdOf(headers: Readonly<Record<string, string>>): string | null {
  return requestIdNames.map((name) => headers[name]).find((id) => id !== undefined && id !== '') ?? null;
}

/** Each JSON response that this program asks for has one of these fields. */
const expectedFields = [
  ...['CopyJobs', 'CopyJobSummaries', 'Accounts', 'OrganizationalUnits', 'Regions', 'roleCredentials'],
  ...['accessToken', 'Database', 'Table', 'QueryExecutionId', 'QueryExecution'],
] as const;

/**
 * Every service except S3. Their responses always have a request id. Substitutes such as moto omit it for some operations;
 * then the expected document, or an error in AWS's format, is enough.
 */
export const awsOrigin: ResponseOrigin = {
  name: 'AWS',
  byHead: ({ headers }) =>
    requestIdOf(headers) !== null || headers['x-amzn-errortype'] !== undefined ? true : null,
  byBody: ({ status }, body) => {
    const isGood = status >= 200 && status < 300;
    const text = body.trimStart();
    if (text.startsWith('<')) {
      const root = rootOf(text);
      if (isGood) return root.endsWith('Response') && /<requestid>/i.test(text);
      return (root === 'ErrorResponse' || root === 'Response') && text.includes('<Code>');
    }
    const document = objectOf(text);
    if (document === null) return false;
    if (isGood) return expectedFields.some((name) => Object.hasOwn(document, name));
    return ['__type', 'code', 'Code'].some((name) => typeof Reflect.get(document, name) === 'string');
  },
};

/** The name of an XML document's root element, without its prefix; '' if there is none. */
export function rootOf(xml: string): string {
  return /^\s*(?:<\?[^>]*\?>\s*)?<(?:[\w-]+:)?([A-Za-z][\w-]*)[\s/>]/.exec(xml)?.[1] ?? '';
}

function objectOf(text: string): object | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** Something other than AWS responded. */
export class ForeignResponse extends Error {
  override readonly name: string;
  readonly status: number;

  /** @param host where the request went; @param body as much of it as was read */
  constructor(origin: ResponseOrigin, host: string, head: ResponseHead, body: string) {
    const { status, headers } = head;
    const type = headers['content-type']?.split(';')[0]?.trim();
    const kind = type === undefined || type === '' ? '' : ` (${type})`;
    const target = redirectHost(headers.location);
    const words = firstWords(body);
    super(
      `something between the job and ${origin.name} answered ${status}${kind} in place of ${host}` +
        `${target === null ? '' : `, with a redirect to ${target}`}${words === '' ? '' : `: “${words}”`}`,
    );
    this.name = status === 407 ? 'ProxyAuthenticationRequired' : 'NotFromAws';
    this.status = status;
  }
}

/** Only the host of a redirect: its path may contain a session. */
function redirectHost(location: string | undefined): string | null {
  return URL.canParse(location ?? '') ? new URL(location ?? '').host : null;
}

const withoutSecretForms = scrubber([]);
const mostWords = 100;

/** What a person would see on the page, shortened and without secrets. */
function firstWords(body: string): string {
  const seen = body
    .replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  const words = withoutSecretForms(seen);
  return words.length > mostWords ? `${words.slice(0, mostWords)}…` : words;
}
