/**
 * One set of credentials an account, shared by its regions and kept fresh.
 */
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { awsFailure } from '../aws/failure.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { AssumeRoleError, UnavailableError } from '../shared/errors.ts';
import { adviceByName, adviceToWait, canSucceedLater } from './discovery-error.ts';

/** Credentials are renewed this long before they expire, or a quarter of their life if that is shorter. */
const renewBeforeMs = 5 * 60_000;

/**
 * An hour is the longest that a role assumed by a role may last
 * (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, role chaining).
 */
const sessionSeconds = 3600;

/**
 * What may be said when asking such a provider for credentials: `{ forceRefresh: true }` throws away what
 * AWS called expired. With `refused`, the access key that was refused, only that key is thrown away, so that
 * many regions that learn the same thing at once renew only once.
 */
export interface RefreshRequest {
  readonly forceRefresh: boolean;
  readonly refused?: string;
}

/**
 * Asks `fetch` once for many: calls in flight are shared, the answer is kept until shortly before it expires,
 * an AssumeRoleError is kept for good (it will not heal within a run). Any other failure is not kept, and
 * credentials that still hold are handed out while they cannot be renewed.
 * @param now AWS's time in milliseconds, or the next best: that is what an expiration is said in. Only asked when
 *   credentials come
 * @param monotonic milliseconds; what has passed since goes by this
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
  // Else every client would put a memory of its own in front (@aws-sdk/core, resolveAwsSdkSigV4Config.js).
  return Object.assign(provider, { memoized: true });
}

/** Both instants are by the monotonic clock. */
interface Life {
  readonly renewAt: number;
  readonly endsAt: number;
}

/**
 * Credentials that have expired when they come are fresh, and the clock is ahead. Then they are held to last as long as
 * a session of ours does, and renewed well before; those that end earlier are renewed when AWS calls them expired.
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

/** `arn:<partition>:iam::<account>:role/<name>`; the name may begin with a path, as in `audit/Reader`. */
export function roleArn(partition: string, accountId: string, roleName: string): string {
  return `arn:${partition}:iam::${accountId}:role/${roleName.replace(/^\/+/, '')}`;
}

/**
 * Credentials of a role, assumed when first asked for. Rejects with an AssumeRoleError when STS says no, and
 * with an UnavailableError when STS could not be asked. Needs `sts:AssumeRole` on the role, and the role's trust.
 * @param source who assumes; @param region where STS is asked: the caller's own
 */
export function assumedRole(
  aws: Aws,
  source: AwsCredentialIdentityProvider,
  region: string,
  role: RoleToAssume,
): AwsCredentialIdentityProvider {
  const assume = async (): Promise<AwsCredentialIdentity> => {
    // Few attempts: whoever needs the role asks again, and a refusal from a machine whose clock is wrong is retried by
    // the SDK as long as it may, each time another denied event in the account's trail.
    const client = signedBy(
      aws.clock,
      new STSClient({ ...aws.clientDefaults(region, source), maxAttempts: 2 }),
    );
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
  // However wrong the clock is, a session lasts no longer than was asked for.
  return shareCredentials(
    assumeOrExplain,
    () => clock.now(),
    () => clock.monotonic(),
    sessionSeconds * 1000,
  );
}

function assumeError(error: unknown, role: RoleToAssume): Error {
  // A role behind a role: the first one's error already says all.
  if (error instanceof AssumeRoleError || error instanceof UnavailableError) return error;
  const failure = awsFailure(error);
  const what = `The role ${role.roleArn} could not be assumed: ${failure.name}: ${failure.message.replace(/\.$/, '')}`;
  if (canSucceedLater(failure)) {
    const advice = adviceToWait(failure, 'Run again later; if it stays so, look at the way to AWS STS');
    return new UnavailableError(what, advice, { cause: error });
  }
  return new AssumeRoleError(
    what,
    adviceByName(failure.name) ??
      `Check that the role exists, that it trusts the caller (${role.externalId === null ? 'without' : 'with'} an external id), and that the caller is allowed sts:AssumeRole`,
    { cause: error },
  );
}
