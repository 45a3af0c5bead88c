import { describe, expect, it } from 'vitest';
import { awsFailure } from '../../src/aws/failure.ts';
import { AssumeRoleError, UnavailableError } from '../../src/shared/errors.ts';
import { type OutcomeContext, outcomeOf, retryBudget } from '../../src/source/outcome.ts';

const away: OutcomeContext = {
  region: 'eu-west-1',
  homeRegion: 'us-east-1',
  regionListed: false,
  credentialsHold: true,
};
const home: OutcomeContext = { ...away, region: 'us-east-1' };
const doubted: OutcomeContext = { ...away, credentialsHold: false };
const unasked: OutcomeContext = { ...away, credentialsHold: null };
const forever = Number.POSITIVE_INFINITY;

function aws(name: string, status = 400, more: object = {}): Error {
  return Object.assign(new Error('said AWS'), { name, $metadata: { httpStatusCode: status, ...more } });
}

function node(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code, ...more });
}

/** As smithy's handler throws it: a reset is a TimeoutError to it. */
const reset = node('ECONNRESET', { name: 'TimeoutError' });
const notFound = (hostname: string) => node('ENOTFOUND', { syscall: 'getaddrinfo', hostname });
const backupHost = 'backup.eu-west-1.amazonaws.com';
const homeHost = 'backup.us-east-1.amazonaws.com';
const roleRefused = new AssumeRoleError('The role could not be assumed', 'Check it');
const stsThrottled = new UnavailableError('The role could not be assumed', 'Later', {
  cause: aws('Throttling', 400),
});
const stsNotFound = new UnavailableError('The role could not be assumed', 'Later', {
  cause: notFound('sts.eu-west-1.amazonaws.com'),
});

describe.each([
  ['ThrottlingException', aws('ThrottlingException'), away, 'THROTTLED', forever],
  ['TooManyRequestsException', aws('TooManyRequestsException', 429), away, 'THROTTLED', forever],
  ['RequestLimitExceeded', aws('RequestLimitExceeded', 503), away, 'THROTTLED', forever],
  ['SlowDown', aws('SlowDown', 503), away, 'THROTTLED', forever],
  ['a bare 429', aws('UnknownError', 429), away, 'THROTTLED', forever],
  ['a throttled STS', stsThrottled, away, 'THROTTLED', forever],
  ['ServiceUnavailableException', aws('ServiceUnavailableException', 503), away, 'UNREACHABLE', forever],
  ['a bare 500', aws('UnknownError', 500), away, 'UNREACHABLE', forever],
  ['a 504 in HTML', aws('SyntaxError', 504), away, 'UNREACHABLE', forever],
  ['a refused connection', node('ECONNREFUSED', { syscall: 'connect' }), away, 'UNREACHABLE', forever],
  ['a reset', reset, away, 'UNREACHABLE', forever],
  ['a connection not made in time', node('ETIMEDOUT', { syscall: 'connect' }), away, 'UNREACHABLE', forever],
  ['DNS that fails for now', node('EAI_AGAIN', { hostname: backupHost }), away, 'UNREACHABLE', forever],
  ['an answer cut short', new Error('aborted'), away, 'UNREACHABLE', forever],
  ['a hang', node('ETIMEDOUT', { name: 'TimeoutError' }), away, 'TIMED_OUT', forever],
  ['a silent socket', Object.assign(new Error('idle'), { name: 'TimeoutError' }), away, 'TIMED_OUT', forever],
  ['a host that does not exist', notFound(backupHost), away, 'UNREACHABLE', 2],
  ['a host that does not exist at home', notFound(homeHost), home, 'UNREACHABLE', 2],
  ['a host that does not exist, STS not asked', notFound(backupHost), unasked, 'UNREACHABLE', 2],
  ['a proxy that does not exist', notFound('proxy.corp'), away, 'UNREACHABLE', 2],
  ['an STS that does not exist', stsNotFound, away, 'UNREACHABLE', forever],
  ['UnrecognizedClientException', aws('UnrecognizedClientException', 403), away, 'REGION_DISABLED', 1],
  ['InvalidClientTokenId', aws('InvalidClientTokenId', 403), away, 'REGION_DISABLED', 1],
  ['a region disabled since', aws('InvalidClientTokenId', 403), away, 'REGION_DISABLED', 1],
  ['unknown credentials at home', aws('UnrecognizedClientException', 403), home, 'ACCESS_DENIED', 1],
  ['credentials that STS refuses too', aws('InvalidClientTokenId', 403), doubted, 'ACCESS_DENIED', 1],
  ['unknown credentials, STS not asked', aws('InvalidClientTokenId', 403), unasked, 'ACCESS_DENIED', 1],
  ['AccessDeniedException', aws('AccessDeniedException', 403), away, 'ACCESS_DENIED', 0],
  ['AccessDenied', aws('AccessDenied', 403), away, 'ACCESS_DENIED', 0],
  ['NotAuthorized', aws('NotAuthorized', 400), away, 'ACCESS_DENIED', 0],
  ['a bare 403 of AWS', aws('UnknownError', 403, { requestId: 'r' }), away, 'ACCESS_DENIED', 0],
  ['a bare 403 of somebody else', aws('SyntaxError', 403), away, 'UNREACHABLE', 5],
  ['a 407', aws('Unknown', 407), away, 'UNREACHABLE', 5],
  ['a private authority', node('SELF_SIGNED_CERT_IN_CHAIN'), away, 'UNREACHABLE', 2],
  ['a certificate out of date', node('CERT_HAS_EXPIRED'), away, 'UNREACHABLE', forever],
  ['a wrong secret', aws('InvalidSignatureException', 403), away, 'ACCESS_DENIED', 0],
  [
    'a signature that came while the clock was wrong',
    aws('InvalidSignatureException', 403, { clockSkewCorrected: true }),
    away,
    'FAILED',
    3,
  ],
  ['a request dated wrongly', aws('RequestTimeTooSkewed', 403), away, 'FAILED', 3],
  ['ExpiredTokenException', aws('ExpiredTokenException', 403), away, 'ACCESS_DENIED', 3],
  ['ExpiredToken', aws('ExpiredToken', 400), away, 'ACCESS_DENIED', 3],
  ['no credentials', aws('CredentialsProviderError'), away, 'ACCESS_DENIED', 5],
  ['a role that cannot be assumed', roleRefused, away, 'ASSUME_ROLE_FAILED', 0],
  ['a parameter AWS does not take', aws('InvalidParameterValueException', 400), away, 'FAILED', 0],
  ['a mistake of our own', new TypeError('x is not a function'), away, 'FAILED', 0],
  ['what is not even an error', 'oops', away, 'FAILED', 0],
] as const)('%s', (_, error, context, status, budget) => {
  it(`is ${status}, and asked again ${budget} times`, () => {
    const failure = awsFailure(error);
    expect(outcomeOf(failure, context).status).toBe(status);
    expect(retryBudget(failure)).toBe(budget);
  });
});

it('an answer without a name is named by its status', () => {
  expect(awsFailure(aws('UnknownError', 429)).name).toBe('Http429');
  expect(awsFailure(new SyntaxError('Unexpected token <'), 502).name).toBe('Http502');
});

describe('a region that refuses credentials which STS accepts', () => {
  const refusal = awsFailure(aws('UnrecognizedClientException'));

  it('is disabled where AWS does not list it as enabled', () => {
    expect(outcomeOf(refusal, away).status).toBe('REGION_DISABLED');
  });

  it('is unreachable where AWS lists it as enabled in this account', () => {
    expect(outcomeOf(refusal, { ...away, regionListed: true })).toEqual({
      status: 'UNREACHABLE',
      errorName: 'ListedRegionRefuses',
      errorMessage:
        'AWS lists the region as enabled in this account, and the region refuses credentials that STS accepts: UnrecognizedClientException: said AWS',
    });
  });

  it('says nothing about the region where STS refuses them too', () => {
    expect(outcomeOf(refusal, { ...doubted, regionListed: true }).status).toBe('ACCESS_DENIED');
  });
});
