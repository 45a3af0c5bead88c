/**
 * Who answered: AWS, or something between the job and AWS (a proxy, a firewall, a captive portal).
 */
import { scrubber } from '../shared/redact.ts';

/** What is known of an answer before its body is read. */
export interface ResponseHead {
  readonly method: string;
  /** The query of the request, by name. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Tells AWS's answers from those of anything else. */
export interface ResponseOrigin {
  /** Whom the answer should come from, for messages. */
  readonly name: string;
  /** Null: only the body can tell. */
  byHead(head: ResponseHead): boolean | null;
  byBody(head: ResponseHead, body: string): boolean;
}

/** The names that services of AWS give to it: docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html speaks of both kinds. */
const requestIdNames = ['x-amzn-requestid', 'x-amz-request-id', 'x-amzn-request-id', 'x-amz-id-2'] as const;

export function requestIdOf(headers: Readonly<Record<string, string>>): string | null {
  return requestIdNames.map((name) => headers[name]).find((id) => id !== undefined && id !== '') ?? null;
}

/** What the program asks AWS for comes in an object with one of these, in JSON. */
const askedFor = [
  ...['CopyJobs', 'CopyJobSummaries', 'Accounts', 'OrganizationalUnits', 'Regions', 'roleCredentials'],
  ...['accessToken', 'Database', 'Table', 'QueryExecutionId', 'QueryExecution'],
] as const;

/**
 * Every service but S3. All their answers have a request id. Stand-ins such as moto leave it out for some operations:
 * there the document that was asked for, or an error in AWS's words, will do.
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
    if (isGood) return askedFor.some((name) => Object.hasOwn(document, name));
    return ['__type', 'code', 'Code'].some((name) => typeof Reflect.get(document, name) === 'string');
  },
};

/** The name of an XML document's outermost element, without its prefix; '' where there is none. */
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

/** Something answered in AWS's place. */
export class ForeignResponse extends Error {
  override readonly name: string;
  readonly status: number;

  /** @param host that was asked; @param body as much of it as was read */
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

/** The host of a redirect: its path may hold a session. */
function redirectHost(location: string | undefined): string | null {
  return URL.canParse(location ?? '') ? new URL(location ?? '').host : null;
}

const withoutSecretForms = scrubber([]);
const mostWords = 100;

/** What a person would see of a page, cut short and without secrets. */
function firstWords(body: string): string {
  const seen = body
    .replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  const words = withoutSecretForms(seen);
  return words.length > mostWords ? `${words.slice(0, mostWords)}…` : words;
}
