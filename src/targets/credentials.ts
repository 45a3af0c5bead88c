/** One set of credentials per account, shared by its regions and renewed in time. */
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { AssumeRoleError, UnavailableError } from '../shared/errors.ts';
import { adviceByName, adviceToRetry, canSucceedLater } from './discovery-error.ts';

/** Credentials are renewed this long before they expire, or a quarter of their lifetime if that is shorter. */
const renewBeforeMs = 5 * 60_000;

/**
 * A role assumed by another role may last one hour at most
 * (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, role chaining).
 */
const sessionSeconds = 3600;

/**
 * Options for such a provider. `{ forceRefresh: true }` discards credentials that AWS called expired. `refused`, the
 * refused access key, discards only that key. So many regions that get the same refusal at once renew only once.
 */
export interface RefreshRequest {
  readonly forceRefresh: boolean;
  readonly refused?: string;
}

/**
 * Calls `fetch` once for many callers. Calls in flight are shared, and credentials are kept until shortly before they
 * expire. An AssumeRoleError is kept for the whole run, because a retry cannot help. Other failures are not kept; if
 * renewal fails, callers get the old credentials as long as they are valid.
 * @param now AWS's time in milliseconds, because expirations are in AWS's time. Only called when credentials arrive
 * @param monotonic milliseconds, to measure what has passed since
 */
export function shareCredentials(
  fetch: (forceRefresh: boolean) => Promise<AwsCredentialIdentity>,
  now: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
  longestMs = Number.POSITIVE_INFINITY,
): AwsCredentialIdentityProvider {
  let current: { readonly identity: AwsCredentialIdentity; readonly life: Life } | null = null;
  let inFlight: Promise<AwsCredentialIdentity> | null = null;
  let refusal: AssumeRoleError | null = null;

  const renew = (forceRefresh: boolean): Promise<AwsCredentialIdentity> => {
    const renewal = fetch(forceRefresh)
      .then((identity) => {
        current = { identity, life: lifeOf(identity, now(), monotonic(), longestMs) };
        return identity;
      })
      .catch((error: unknown) => {
        if (error instanceof AssumeRoleError) refusal = error;
        if (!forceRefresh && current !== null && monotonic() < current.life.endsAt) {
          return current.identity;
        }
        throw error;
      })
      .finally(() => {
        inFlight = null;
      });
    inFlight = renewal;
    return renewal;
  };

  const provider = async (properties?: Partial<RefreshRequest>): Promise<AwsCredentialIdentity> => {
    if (inFlight !== null) return inFlight;
    if (refusal !== null) throw refusal;
    const { forceRefresh = false, refused } = properties ?? {};
    if (forceRefresh && (refused === undefined || refused === current?.identity.accessKeyId)) {
      return renew(true);
    }
    if (current !== null && monotonic() < current.life.renewAt) return current.identity;
    return renew(false);
  };
  // Otherwise every client would add its own cache (@aws-sdk/core, resolveAwsSdkSigV4Config.js).
  return Object.assign(provider, { memoized: true });
}

/** Both instants are by the monotonic clock. */
interface Life {
  readonly renewAt: number;
  readonly endsAt: number;
}

/**
 * If credentials look expired on arrival, they are in fact fresh, and the clock is ahead. Then they are assumed to last as
 * long as one of our sessions. If they end earlier, they are renewed when AWS calls them expired.
 */
function lifeOf(identity: AwsCredentialIdentity, now: number, received: number, longestMs: number): Life {
  const expiresAt = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
  const leftMs = Math.min(expiresAt - now, longestMs);
  if (leftMs > 0) {
    return { renewAt: received + leftMs - Math.min(renewBeforeMs, leftMs / 4), endsAt: received + leftMs };
  }
  const sessionMs = sessionSeconds * 1000;
  return { renewAt: received + (sessionMs * 3) / 4, endsAt: received + sessionMs };
}

export interface RoleToAssume {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | null;
}

/** `arn:<partition>:iam::<account>:role/<name>`. The name may start with a path, as in `audit/Reader`. */
export function roleArn(partition: string, accountId: string, roleName: string): string {
  return `arn:${partition}:iam::${accountId}:role/${roleName.replace(/^\/+/, '')}`;
}

/** Credentials of a role. See `roleAssumer`. */
export function assumedRole(
  aws: Aws,
  source: AwsCredentialIdentityProvider,
  region: string,
  role: RoleToAssume,
): AwsCredentialIdentityProvider {
  return roleAssumer(aws, source, region)(role);
}

/**
 * Makes credentials of roles, which are assumed on first use. They reject with an AssumeRoleError when STS refuses, and with
 * an UnavailableError when STS cannot be reached. Needs `sts:AssumeRole` on each role, and the role must trust the caller.
 * All share one client: a client reads its configuration before its first request, which takes as much CPU time as the request.
 * @param source who assumes the roles; @param region of STS: the caller's own
 */
export function roleAssumer(
  aws: Aws,
  source: AwsCredentialIdentityProvider,
  region: string,
): (role: RoleToAssume) => AwsCredentialIdentityProvider {
  // Otherwise the SDK would keep the source's credentials, and never learn of those that are renewed.
  const ofSource = Object.assign(() => source(), { memoized: true });
  // Few attempts: the caller asks again anyway. And if the machine's clock is wrong, the SDK retries each refusal, which
  // adds one more denied event to the account's CloudTrail each time.
  const client = signedBy(
    aws.clock,
    new STSClient({ ...aws.clientDefaults(region, ofSource), maxAttempts: 2 }),
  );
  return (role) => roleCredentials(aws, client, source, role);
}

function roleCredentials(
  aws: Aws,
  client: STSClient,
  source: AwsCredentialIdentityProvider,
  role: RoleToAssume,
): AwsCredentialIdentityProvider {
  const assume = async (): Promise<AwsCredentialIdentity> => {
    const { Credentials } = await client.send(
      new AssumeRoleCommand({
        RoleArn: role.roleArn,
        RoleSessionName: role.sessionName,
        DurationSeconds: sessionSeconds,
        ...(role.externalId === null ? {} : { ExternalId: role.externalId }),
      }),
    );
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey) {
      throw new Error('STS answered without credentials');
    }
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      ...(Credentials.SessionToken ? { sessionToken: Credentials.SessionToken } : {}),
      ...(Credentials.Expiration ? { expiration: Credentials.Expiration } : {}),
    };
  };
  const assumeOrExplain = async (): Promise<AwsCredentialIdentity> => {
    try {
      try {
        return await assume();
      } catch (error) {
        if (awsFailure(error).kind !== 'credentials-expired') throw error;
        await source({ forceRefresh: true });
        return await assume();
      }
    } catch (error) {
      throw assumeError(error, role);
    }
  };
  const { clock } = aws;
  // However wrong the clock is, a session lasts no longer than requested.
  return shareCredentials(
    assumeOrExplain,
    () => clock.now(),
    () => clock.monotonic(),
    sessionSeconds * 1000,
  );
}

function assumeError(error: unknown, role: RoleToAssume): Error {
  // With chained roles, the first role's error already says everything.
  if (error instanceof AssumeRoleError || error instanceof UnavailableError) return error;
  const failure = awsFailure(error);
  const what = `The role ${role.roleArn} could not be assumed: ${failure.name}: ${failure.message.replace(/\.$/, '')}`;
  if (canSucceedLater(failure)) {
    const advice = adviceToRetry(
      failure,
      'Run again later. If this keeps happening, check the network between the job and AWS STS',
    );
    return new UnavailableError(what, advice, { cause: error });
  }
  return new AssumeRoleError(
    what,
    adviceByName(failure.name) ??
      `Check that the role exists, that it trusts the caller (${role.externalId === null ? 'without' : 'with'} an external id), and that the caller may call sts:AssumeRole`,
    { cause: error },
  );
}
