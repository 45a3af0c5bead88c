/** The region from the environment or the shared configuration. */
import {
  loadConfig,
  NODE_REGION_CONFIG_FILE_OPTIONS,
  NODE_REGION_CONFIG_OPTIONS,
  resolveRegionConfig,
} from '@smithy/core/config';

/**
 * Looks where the AWS CLI looks: AWS_REGION, then AWS_DEFAULT_REGION, then the profile, then the instance
 * (docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html). The SDK for JavaScript skips the second, and
 * boto3 the first.
 * @returns null when none is configured
 */
export async function configuredRegion(): Promise<string | null> {
  const find = loadConfig<string>(
    {
      ...NODE_REGION_CONFIG_OPTIONS,
      environmentVariableSelector: (environment) =>
        environment.AWS_REGION || environment.AWS_DEFAULT_REGION || undefined,
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );
  // Some people write `fips-us-east-1`, which is not a region.
  const { region } = resolveRegionConfig({ region: find, useFipsEndpoint: false });
  return await region().catch(() => null);
}
