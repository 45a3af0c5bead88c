/**
 * Decides whether writes carry a checksum. They do by default, because a bucket with a default retention refuses a write
 * without one (docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html).
 */
import { loadConfig } from '@smithy/core/config';
import type { Logger } from 'pino';
import { codeOf, statusOf } from './s3-errors.ts';

type When = 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';

export interface Checksums {
  /** For the SDK's `requestChecksumCalculation`. */
  readonly ofRequests: () => Promise<When>;
  /** For the SDK's `responseChecksumValidation`. */
  readonly ofAnswers: () => Promise<When>;
  /**
   * Runs a write. If the store may have refused it because of the checksum, runs it again without one. If that succeeds,
   * no more checksums are sent: some S3-compatible servers do not support them.
   */
  orWithout<T>(write: () => Promise<T>): Promise<T>;
}

/** Codes that servers return for an unknown header. AuthorizationHeaderMalformed and the like are not among them. */
const refusals: ReadonlySet<string> = new Set([
  'BadRequest',
  'InvalidArgument',
  'InvalidHeader',
  'InvalidRequest',
  'NotImplemented',
  'UnsupportedHeader',
]);

/**
 * @param isCustom whether the endpoint is not AWS's own. AWS supports checksums. Responses of other stores are validated
 *   only on request, because every body is compared with the SHA-256 in its metadata anyway.
 */
export function openChecksums(isCustom: () => Promise<boolean>, log: Pick<Logger, 'warn'>): Checksums {
  const configuredForRequests = configured('request_checksum_calculation');
  const configuredForAnswers = configured('response_checksum_validation');
  let withoutThem = false;
  const ofRequests = async (): Promise<When> =>
    withoutThem ? 'WHEN_REQUIRED' : ((await configuredForRequests()) ?? 'WHEN_SUPPORTED');
  return {
    ofRequests,
    async ofAnswers() {
      const configured = await configuredForAnswers();
      return configured ?? ((await isCustom()) ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED');
    },
    async orWithout(write) {
      const sent = (await ofRequests()) === 'WHEN_SUPPORTED';
      try {
        return await write();
      } catch (error) {
        const demanded = (await configuredForRequests()) === 'WHEN_SUPPORTED';
        if (!sent || demanded || !mayBeForThem(error) || !(await isCustom())) throw error;
        withoutThem = true;
        try {
          const done = await write();
          log.warn(
            { code: codeOf(error) },
            'the store does not support checksums: the run writes without them',
          );
          return done;
        } catch (again) {
          // Refused as before, so the checksum was not the reason.
          if (!mayBeForThem(again)) throw again;
          withoutThem = false;
          throw error;
        }
      }
    },
  };
}

function mayBeForThem(error: unknown): boolean {
  const status = statusOf(error);
  return status === 501 || (status === 400 && (refusals.has(codeOf(error)) || isNameless(error)));
}

/** A server other than AWS may refuse with an unreadable body. */
function isNameless(error: unknown): boolean {
  return ['400', 'Error', 'Unknown', 'UnknownError', 'SyntaxError'].includes(codeOf(error));
}

/** Null: not configured (docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html). */
function configured(name: string): () => Promise<When | null> {
  const find = loadConfig<string>({
    environmentVariableSelector: (environment) => environment[`AWS_${name.toUpperCase()}`] || undefined,
    configFileSelector: (profile) => profile[name],
    default: '',
  });
  return async () => {
    const value = (await find()).toUpperCase();
    return value === 'WHEN_SUPPORTED' || value === 'WHEN_REQUIRED' ? value : null;
  };
}
