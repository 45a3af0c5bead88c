/** The endpoint of S3 and its addressing style: found like the SDK does, used like botocore does. */
import { S3Client } from '@aws-sdk/client-s3';
import { loadConfig } from '@smithy/core/config';

export interface S3Endpoint {
  /** Null: AWS's own. */
  readonly url: string | null;
  /** True if the endpoint is not AWS's own, but given or configured. */
  readonly custom: boolean;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
}

/**
 * A custom endpoint gets path-style requests, because few such servers have a host name per bucket. It does not matter
 * where it is set: in an option, in AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, in the profile or its `services` section.
 * botocore does the same (github.com/boto/botocore, botocore/args.py, compute_endpoint_resolver_builtin_defaults), while
 * the SDK for JavaScript uses virtual-host style (github.com/aws/aws-sdk-js-v3/issues/7136). As in botocore,
 * `addressing_style = virtual` in the profile's `s3` section overrides this.
 */
export async function s3Endpoint(given: string | null): Promise<S3Endpoint> {
  const url = given ?? (await configuredEndpoint());
  if (url === null) return { url, custom: false, pathStyle: false };
  return { url, custom: true, pathStyle: (await addressingStyle()) !== 'virtual' };
}

/** Found by the SDK itself, which also supports AWS_IGNORE_CONFIGURED_ENDPOINT_URLS. */
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
