/** A request handler that gives the Date of each response to the clock. */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsClock } from './clock.ts';
import { requestIdOf } from './response-origin.ts';
import { wrapped } from './wrapped-handler.ts';

/** The same handler; `clock` gets the Date of every response to a signed request. */
export function feedingClock(handler: NodeHttpHandler, clock: AwsClock): NodeHttpHandler {
  const handle: NodeHttpHandler['handle'] = async (request, options) => {
    const answered = await handler.handle(request, options);
    const { statusCode, headers } = answered.response;
    const who = serviceOf(request.headers.authorization ?? '');
    const time = Date.parse(headers.date ?? '');
    // An error without a request id is not AWS's. A response with an Age header comes from a cache.
    const isFresh = (statusCode < 300 || requestIdOf(headers) !== null) && !('age' in headers);
    if (who !== null && isFresh && !Number.isNaN(time)) clock.note(who, time);
    return answered;
  };
  return wrapped(handler, handle);
}

/** `AWS STS in us-east-1`, from the request's signature; null: it has none. */
function serviceOf(authorization: string): string | null {
  const [, region, service] = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(authorization) ?? [];
  return region === undefined || service === undefined ? null : witnessName(service, region);
}

const names: Readonly<Record<string, string>> = {
  sts: 'AWS STS',
  organizations: 'AWS Organizations',
  account: 'AWS Account Management',
  ec2: 'Amazon EC2',
  backup: 'AWS Backup',
  s3: 'Amazon S3',
};

/** True of STS in any region. */
export function isSts(who: string): boolean {
  return who.startsWith(witnessName('sts', ''));
}

/** @param service its name in signatures */
export function witnessName(service: string, region: string): string {
  return `${names[service] ?? service} in ${region}`;
}
