import { expect, it } from 'vitest';
import { wrongBlame } from './blame.ts';
import type { Ended } from './exporter.ts';

const ended: Ended = { code: 75, signal: null, stdout: '', stderr: '', ms: 1000, overdue: false };
const saying = (msg: string): Ended => ({ ...ended, stderr: `${JSON.stringify({ level: 'fatal', msg })}\n` });

it.each([
  'STS did not answer. Check the credentials, and that AWS_REGION is in the same AWS partition',
  'The part could not be read. Allow s3:GetObject below the prefix',
  'Let the role read AWS Backup',
  'Enable the region in this account',
  'The accounts could not be listed: the caller lacks permissions',
  'The clock of this machine is wrong',
])('a proxy’s fault may not be told as “%s”', (message) => {
  expect(wrongBlame('way', saying(message), [])).not.toEqual([]);
  expect(wrongBlame('person', saying(message), [])).toEqual([]);
});

it.each([
  'Something between the job and AWS answered 403: no IAM policy will help. Let the proxy pass the hosts of AWS',
  'The next run tries again. If it keeps happening, check DNS, routes, proxy and VPC endpoints',
  'S3 asks for patience (SlowDown)',
])('“%s” blames nobody', (message) => {
  expect(wrongBlame('way', saying(message), [])).toEqual([]);
});

it('reads coverage and summary as well as the log, and no stacks', () => {
  const denied = { status: 'UNREACHABLE', error_message: 'Check your credentials' };
  expect(wrongBlame('aws', ended, [denied]).join()).toContain('Check your credentials');
  const summary = {
    ...ended,
    stdout: JSON.stringify({ failures: [{ advice: 'Let the role read AWS Backup' }] }),
  };
  expect(wrongBlame('aws', summary, [])).toHaveLength(1);
  const stack = { ...ended, stderr: JSON.stringify({ err: { stack: 'at permissions (iam.ts)' } }) };
  expect(wrongBlame('aws', stack, [])).toEqual([]);
});

it('a status or an exit code sends nobody to IAM either', () => {
  expect(wrongBlame('aws-clock', { ...ended, code: 77 }, [])).toEqual([
    'exits with 77 where the cause is aws-clock',
  ]);
  expect(wrongBlame('way', ended, [{ status: 'ACCESS_DENIED' }])).toEqual([
    'says ACCESS_DENIED where the cause is way',
  ]);
});
