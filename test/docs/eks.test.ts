/** The way to credentials on EKS: the steps of docs/getting-started.md, the manifest and the template belong together. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const page = read('docs/getting-started.md');
const manifest = read('deploy/kubernetes/backup-copy-export.yaml');
const [account] = parseAllDocuments(manifest)
  .map((one) => one.toJS())
  .filter(({ kind }) => kind === 'ServiceAccount');

it('associates the role with the service account of the manifest, without session tags, before it is applied', () => {
  const { name, namespace } = account.metadata;
  const agent = page.indexOf(
    'aws eks create-addon --cluster-name YOUR-CLUSTER --addon-name eks-pod-identity-agent\n',
  );
  const association = page.search(
    new RegExp(
      String.raw`aws eks create-pod-identity-association --cluster-name YOUR-CLUSTER --namespace ${namespace} \\\n` +
        String.raw` +--service-account ${name} --role-arn THE-ROLE-ARN --disable-session-tags\n`,
    ),
  );
  expect(agent).toBeGreaterThan(0);
  expect(association).toBeGreaterThan(agent);
  expect(page.indexOf('kubectl apply -f deploy/kubernetes/backup-copy-export.yaml')).toBeGreaterThan(
    association,
  );
});

it('ships no annotation for IAM roles for service accounts, whose tokens the role of RunsOn=eks does not trust', () => {
  const { Resources } = parse(read('deploy/iam/exporter.yaml'), { logLevel: 'error' });
  const [trust] = Resources.ExporterRole.Properties.AssumeRolePolicyDocument.Statement;
  expect(trust.Principal.Service).toContain('pods.eks.amazonaws.com');
  expect(JSON.stringify(trust)).not.toContain('AssumeRoleWithWebIdentity');
  expect(account.metadata.annotations).toBeUndefined();
  // For a role that does trust them: what to write, and where the policies come from.
  expect(manifest).toContain('#   eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/');
  const outputs = Object.keys(parse(read('deploy/iam/exporter.yaml'), { logLevel: 'error' }).Outputs);
  for (const output of ['PolicyArn', 'OrganizationPolicyArn', 'LakePolicyArn']) {
    expect(outputs).toContain(output);
    expect(page).toContain(`\`${output}\``);
  }
});
