/**
 * Checksums beyond the signature: sent with every write unless somebody says otherwise, because a bucket with a default
 * retention refuses a write without one (docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html).
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
   * Runs a write, and once more without checksums where the store may have refused it for them. A store that takes it
   * then is sent none any more: some S3-compatible servers know no checksums.
   */
  orWithout<T>(write: () => Promise<T>): Promise<T>;
}

/** Codes under which servers refuse a header that they do not know; AuthorizationHeaderMalformed and the like are not here. */
const refusals: ReadonlySet<string> = new Set([
  'BadRequest',
  'InvalidArgument',
  'InvalidHeader',
  'InvalidRequest',
  'NotImplemented',
  'UnsupportedHeader',
]);

/**
 * @param isCustom whether the endpoint is not AWS's own. AWS takes checksums; answers of other stores are only validated
 *   when that was asked for, because every body is compared with the SHA-256 it was written with anyway.
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
          log.warn({ code: codeOf(error) }, 'the store takes no checksums: writes are sent without them');
          return done;
        } catch (again) {
          // Refused as before: it was not for the checksum.
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

/** A server that is not AWS may refuse in a body that nobody can read. */
function isNameless(error: unknown): boolean {
  return ['400', 'Error', 'Unknown', 'UnknownError', 'SyntaxError'].includes(codeOf(error));
}

/** Null: nobody says (docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html). */
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
