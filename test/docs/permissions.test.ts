import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const iam = new URL('../../deploy/iam/', import.meta.url);
const page = readFileSync(new URL('../../docs/reference/permissions.md', import.meta.url), 'utf8');

/** The statement of a witness's bucket that is not for the nightly job. */
const toAuditor = /Sid: ReadCheckpoints.*?(?=Sid: TlsOnly)/s;

/** Every action that a template of deploy/iam/ allows. What a colon follows is a condition key. */
function actionsOf(template: string): readonly string[] {
  return (
    template.match(
      /(?<=^ +(?:- |Action: )|\[|, )(?:account|backup|ec2|kms|organizations|s3|sts):[A-Z]\w+\b(?!:)/gm,
    ) ?? []
  );
}

test('the page of permissions names every action that the templates grant, and no other of the nightly job', () => {
  const templates = readdirSync(iam).map((name) =>
    readFileSync(new URL(name, iam), 'utf8').replace(toAuditor, ''),
  );
  // sts:TagSession is for EKS, which hands out the role: the job has no use for it.
  const granted = new Set(templates.flatMap(actionsOf).filter((action) => action !== 'sts:TagSession'));
  expect(granted.size).toBeGreaterThan(12);
  const [job = ''] = page.split('## Other jobs');
  const named = new Set(job.match(/\b[a-z0-9]+:[A-Z]\w+/g));
  expect([...named].sort()).toEqual([...granted].sort());
});

test('the page names what the bucket of a witness allows an auditor', () => {
  const [statement = ''] = readFileSync(new URL('witness-bucket.yaml', iam), 'utf8').match(toAuditor) ?? [];
  const allowed = actionsOf(statement);
  expect(allowed).toContain('s3:GetObjectVersion');
  const [, others = ''] = page.split('## Other jobs');
  const [row = ''] = others.match(/^.*an auditor.*$/m) ?? [];
  for (const action of allowed) expect(row).toContain(action);
});

test('the page names the rights of each action of catalog at the lake: all list it, and only check reads parts', () => {
  const [, rows = ''] = page.split('A person or a pipeline runs `catalog`');
  const needing = (right: string) =>
    rows
      .split('\n')
      .filter((row) => row.includes(`\`${right}\``))
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, action]) => action));
  // As src/catalog/catalog.ts does: runDdl and runGlue look for the first day in the lake's partitions.
  expect(needing('s3:ListBucket').sort()).toEqual(['apply', 'check', 'ddl']);
  expect(needing('s3:GetObject')).toEqual(['check']);
  expect(needing('kms:Decrypt')).toEqual(['check']);
});
