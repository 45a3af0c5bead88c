/** Where S3 is asked, and in which style: what the SDK would find, and what botocore makes of it. */
import { S3Client } from '@aws-sdk/client-s3';
import { loadConfig } from '@smithy/core/config';

export interface S3Endpoint {
  /** Null: AWS's own. */
  readonly url: string | null;
  /** True where the endpoint is not AWS's own: given, or configured. */
  readonly custom: boolean;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
}

/**
 * A custom endpoint is asked in path style wherever it was named, because few such servers have a host name for each
 * bucket: in an option, in AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, in the profile or its `services` section. So
 * does botocore (github.com/boto/botocore, botocore/args.py, compute_endpoint_resolver_builtin_defaults). The SDK for JavaScript asks all of
 * them in virtual-host style (github.com/aws/aws-sdk-js-v3/issues/7136). `addressing_style = virtual` in the profile's
 * `s3` section holds here as it does for botocore.
 */
export async function s3Endpoint(given: string | null): Promise<S3Endpoint> {
  const url = given ?? (await configuredEndpoint());
  if (url === null) return { url, custom: false, pathStyle: false };
  return { url, custom: true, pathStyle: (await addressingStyle()) !== 'virtual' };
}

/** As the SDK itself looks for it, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS included. */
async function configuredEndpoint(): Promise<string | null> {
  return (await new S3Client({ region: 'us-east-1' }).config.serviceConfiguredEndpoint?.()) ?? null;
}

async function addressingStyle(): Promise<string> {
  return await loadConfig<string>({
    environmentVariableSelector: () => undefined,
    configFileSelector: (profile) => profile['s3.addressing_style'],
    default: '',
  })();
}
