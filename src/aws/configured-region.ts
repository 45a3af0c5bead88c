/** In which region a client works when nobody names one. */
import {
  loadConfig,
  NODE_REGION_CONFIG_FILE_OPTIONS,
  NODE_REGION_CONFIG_OPTIONS,
  resolveRegionConfig,
} from '@smithy/core/config';

/**
 * As the AWS CLI finds it: AWS_REGION, else AWS_DEFAULT_REGION, else the profile's, else the instance's
 * (docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html). The SDK for JavaScript leaves the second
 * out, and boto3 the first.
 * @returns null when nobody says
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
  // Some write `fips-us-east-1`, which is no region.
  const { region } = resolveRegionConfig({ region: find, useFipsEndpoint: false });
  return await region().catch(() => null);
}
