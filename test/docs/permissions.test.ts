import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const iam = new URL('../../deploy/iam/', import.meta.url);
const page = readFileSync(new URL('../../docs/reference/permissions.md', import.meta.url), 'utf8');

/** Every action that a template of deploy/iam/ allows. What a colon follows is a condition key. */
function actionsOf(template: string): readonly string[] {
  return (
    template.match(
      /(?<=^ +(?:- |Action: )|\[|, )(?:account|backup|ec2|kms|organizations|s3|sts):[A-Z]\w+\b(?!:)/gm,
    ) ?? []
  );
}

test('the page of permissions names every action that the templates grant, and no other of the nightly job', () => {
  const templates = readdirSync(iam).map((name) => readFileSync(new URL(name, iam), 'utf8'));
  // sts:TagSession is for EKS, which hands out the role: the job has no use for it.
  const granted = new Set(templates.flatMap(actionsOf).filter((action) => action !== 'sts:TagSession'));
  expect(granted.size).toBeGreaterThan(12);
  const [job = ''] = page.split('## Other jobs');
  const named = new Set(job.match(/\b[a-z0-9]+:[A-Z]\w+/g));
  expect([...named].sort()).toEqual([...granted].sort());
});
