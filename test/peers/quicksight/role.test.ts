import { describe, expect, it } from 'vitest';
import { data, deployment } from './deployed.ts';
import { findings } from './peers.ts';
import { type JsonObject, listOf, objectOf, resources } from './templates.ts';

describe('the role of the data source', () => {
  const statements = (parameters: Readonly<Record<string, string>>): JsonObject[] => {
    const given = { ...deployment, parameters: { ...deployment.parameters, ...parameters } };
    const [role] = resources(data, given).filter(({ type }) => type === 'AWS::IAM::Role');
    return listOf(role?.properties.Policies)
      .map((policy) => objectOf(objectOf(policy).PolicyDocument))
      .flatMap((document) => listOf(document.Statement).map(objectOf));
  };

  it('holds a policy in which parliament finds nothing', async () => {
    const policy = { Version: '2012-10-17', Statement: statements({}) };
    expect(await findings(policy)).toBe('');
    const wrong = JSON.stringify(policy).replace('athena:GetWorkGroup', 'athena:GetWorkGroups');
    expect(await findings(JSON.parse(wrong))).toContain('Unknown action');
  });

  it('reads the tables and not the ledger, and writes nothing but results', () => {
    const own = statements({});
    const actions = own.flatMap(({ Action }) => [Action].flat().map(String));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    expect(own.filter(({ Resource }) => [Resource].flat().includes('*'))).toEqual([]);
    const writes = own.filter(({ Action }) =>
      [Action].flat().some((action) => /Put|Delete|Create/.test(String(action))),
    );
    expect(writes.map(({ Resource }) => Resource)).toEqual(['arn:aws:s3:::the-results/athena/*']);
    const reads = own.filter(({ Action }) => Action === 's3:GetObject');
    expect(reads.map(({ Resource }) => Resource)).toEqual([
      ['copy_jobs', 'copy_job_summaries', 'export_coverage'].map(
        (it) => `arn:aws:s3:::the-lake/lake/${it}/*`,
      ),
    ]);
  });

  it('has no key where there is none', () => {
    const text = JSON.stringify(statements({ LakeKmsKeyArn: '', ResultsKmsKeyArn: '' }));
    expect(text).not.toContain('kms:');
    expect(JSON.stringify(statements({}))).toContain('kms:');
  });
});
