/** What a person can do about a failure between the job and AWS. */
import { type AwsFailure, untrustedNames } from './failure.ts';

/** Null: the failure does not show what is in the way. */
export function networkAdvice({ kind, name }: Pick<AwsFailure, 'kind' | 'name'>): string | null {
  if (kind === 'untrusted-certificate' || kind === 'not-from-aws') return networkAdviceByName(name);
  return null;
}

/** The same, when only the error's name is known. */
export function networkAdviceByName(name: string): string | null {
  if (untrustedNames.has(name)) {
    return 'Set NODE_EXTRA_CA_CERTS to a PEM file with the CA certificate that signed the certificate of the proxy or the endpoint';
  }
  switch (name) {
    case 'NotFromAws':
      return 'Make the proxy pass requests to the AWS hosts, or list the hosts in NO_PROXY. If you use a custom endpoint, check its URL. A proxy that decrypts TLS must keep the request id header of responses';
    case 'ProxyAuthenticationRequired':
      return 'Add the user and password of the proxy to HTTPS_PROXY';
    case 'ENOTFOUND':
      return 'DNS cannot resolve this host. Check the resolver and DNS firewalls. If AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT is set, check that the service has such an endpoint in this region. If it has none, leave the region out with --regions';
    default:
      return null;
  }
}
