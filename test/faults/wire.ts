/** What a request asks for, from its bytes: who is asked what, by whom. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Subject } from './hurts.ts';

export interface Asked {
  readonly method: string;
  /** With its query, as on the wire. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly subject: Subject;
}

/** @param accountOf whose an access key is */
export async function readAsked(
  request: IncomingMessage,
  accountOf: (accessKeyId: string) => string,
): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { method = 'GET', headers } = request;
  // Of a request for plain HTTP a proxy is sent the whole address.
  const url = (request.url ?? '/').replace(/^http:\/\/[^/]+/, '');
  const claim = /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '');
  const [, accessKeyId = '', region = '', signedFor = ''] = claim ?? [];
  const path = url.split('?')[0] ?? '';
  // Unsigned: a web identity, or a question about nothing but the time.
  const service =
    signedFor || (services[awsApi(headers, path, body)] ?? serviceOf(String(headers.host ?? '')));
  const key = service === 's3' ? path.replace(bucketIn(headers) === null ? /^\/[^/]*\/?/ : /^\//, '') : path;
  const api = service === 's3' ? s3Api(method, url, key) : awsApi(headers, path, body);
  return {
    method,
    url,
    headers,
    body,
    subject: { stage: 'request', service, api, region, caller: accountOf(accessKeyId), key },
  };
}

/** Of an operation that can come unsigned to an endpoint that all services share. */
const services: Readonly<Record<string, string>> = {
  ListCopyJobs: 'backup',
  ListCopyJobSummaries: 'backup',
  ListRegions: 'account',
  ListAccounts: 'organizations',
  DescribeRegions: 'ec2',
  GetCallerIdentity: 'sts',
  AssumeRoleWithWebIdentity: 'sts',
};

/** The service of a host such as `backup.eu-west-1.amazonaws.com` or `bucket.s3.amazonaws.com`. */
export function serviceOf(host: string): string {
  const labels = host.replace(/:\d+$/, '').split('.');
  if (labels.some((label) => /^s3(-fips|-accelerate)?$/.test(label))) return 's3';
  const first = (labels[0] ?? '').replace(/-fips$/, '');
  return first;
}

export function regionOf(host: string): string {
  return /\.([a-z]{2}(-[a-z]+)+-\d)\./.exec(host)?.[1] ?? 'us-east-1';
}

/** Of a host such as `bucket.s3.us-east-1.amazonaws.com`; null where the path begins with the bucket. */
export function bucketIn({ host = '' }: IncomingHttpHeaders): string | null {
  return /^(.+)\.s3(-fips)?\./.exec(host)?.[1] ?? null;
}

function awsApi(headers: IncomingHttpHeaders, path: string, body: Buffer): string {
  if (path.startsWith('/copy-jobs')) return 'ListCopyJobs';
  if (path.startsWith('/audit/copy-job-summaries')) return 'ListCopyJobSummaries';
  if (path.startsWith('/listRegions')) return 'ListRegions';
  const target = String(headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1);
  return target || (new URLSearchParams(body.toString('latin1')).get('Action') ?? 'unknown');
}

function s3Api(method: string, url: string, key: string): string {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  switch (method) {
    case 'HEAD':
      return key === '' ? 'HeadBucket' : 'HeadObject';
    case 'GET':
      return query.has('list-type') ? 'ListObjectsV2' : 'GetObject';
    case 'PUT':
      return query.has('partNumber') ? 'UploadPart' : 'PutObject';
    case 'POST':
      return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
    default:
      return method === 'DELETE' && query.has('uploadId') ? 'AbortMultipartUpload' : method;
  }
}
