/** What a person can do about a failure between the job and AWS, by what stands in the way. */
import { type AwsFailure, untrustedNames } from './failure.ts';

/** Null: the failure does not say what stands there. */
export function networkAdvice({ kind, name }: Pick<AwsFailure, 'kind' | 'name'>): string | null {
  if (kind === 'untrusted-certificate' || kind === 'not-from-aws') return networkAdviceByName(name);
  return null;
}

/** The same, where only the error's name is left. */
export function networkAdviceByName(name: string): string | null {
  if (untrustedNames.has(name)) {
    return 'Let NODE_EXTRA_CA_CERTS name a PEM file with the certificate of the authority that signed that of the proxy or the endpoint';
  }
  switch (name) {
    case 'NotFromAws':
      return 'Let the proxy pass the hosts of AWS, or name them in NO_PROXY; with an endpoint of your own, look at what its URL names. A proxy that opens TLS must not remove the request id header from answers';
    case 'ProxyAuthenticationRequired':
      return 'Give HTTPS_PROXY the user and the password that the proxy asks for';
    case 'ENOTFOUND':
      return 'DNS does not know this host: look at the resolver and at DNS firewalls, and, with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT, whether the service has such an endpoint in this region. Where it has none, leave the region out with --regions';
    default:
      return null;
  }
}
