/** What a person can do about a failure between the job and AWS. */
import { type AwsFailure, untrustedNames } from './failure.ts';

/** By the names of errors. Each text is one or more sentences, without the last full stop. */
export const networkAdvices: readonly { readonly errors: readonly string[]; readonly text: string }[] = [
  {
    errors: [...untrustedNames],
    text: 'Set NODE_EXTRA_CA_CERTS to a PEM file with the CA certificate that signed the certificate of the proxy or the endpoint',
  },
  {
    errors: ['NotFromAws'],
    text: 'Make the proxy pass requests to the AWS hosts, or list the hosts in NO_PROXY. If you use a custom endpoint, check its URL. A proxy that decrypts TLS must keep the request id header of responses',
  },
  {
    errors: ['ProxyAuthenticationRequired'],
    text: 'Add the user and password of the proxy to HTTPS_PROXY',
  },
  {
    errors: ['ENOTFOUND'],
    text: 'DNS cannot resolve this host. Check the resolver and DNS firewalls. If AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT is set, check that the service has such an endpoint in this region. If it has none, leave the region out with --regions',
  },
];

/** Null: the failure does not show what is in the way. */
export function networkAdvice({ kind, name }: Pick<AwsFailure, 'kind' | 'name'>): string | null {
  if (kind !== 'untrusted-certificate' && kind !== 'not-from-aws') return null;
  return networkAdvices.find(({ errors }) => errors.includes(name))?.text ?? null;
}
