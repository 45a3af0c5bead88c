/** A witness in the lake proves nothing: whoever can write to the lake can change it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { refuseWitnessInLake } from '../../src/config/witness-location.ts';
import { UsageError } from '../../src/shared/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-witness-'));
mkdirSync(join(folder, 'lake/copies'), { recursive: true });
symlinkSync(join(folder, 'lake/copies'), join(folder, 'into-the-lake'));
symlinkSync(folder, join(folder, 'around-the-lake'));
symlinkSync(join(folder, 'lake'), join(folder, 'the-lake'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refuse = (witness: string, lake = 'lake') =>
  refuseWitnessInLake(
    {
      lake: { kind: 'local', folder: join(folder, lake) },
      witness: { kind: 'local', folder: join(folder, witness) },
    },
    '--witness',
    UsageError,
  );

it.each([
  ['lake/witness', 'lake'],
  ['.', 'lake'],
  ['into-the-lake', 'lake'],
  ['into-the-lake/not-yet-there', 'lake'],
  ['around-the-lake', 'lake'],
  ['the-lake', 'lake'],
  ['lake/witness', 'the-lake'],
  ['the-lake/witness', 'lake'],
])('refuses the folder %s for the lake %s', (witness, lake) => {
  expect(() => refuse(witness, lake)).toThrow(
    /^--witness names a place in the lake, or around it\. Use another/,
  );
});

it.each([['witness'], ['lake-2'], ['around-the-lake/witness']])('takes the folder %s', (witness) => {
  expect(() => refuse(witness)).not.toThrow();
});

it('compares places on S3 by bucket and prefix, and never with folders', () => {
  const s3 = (bucket: string, prefix: string) => ({ kind: 's3', bucket, prefix }) as const;
  const between = (
    lake: ReturnType<typeof s3>,
    witness: Parameters<typeof refuseWitnessInLake>[0]['witness'],
  ) => refuseWitnessInLake({ lake, witness }, '--witness', UsageError);
  expect(() => between(s3('a', 'lake'), s3('a', 'lake/witness'))).toThrow('--witness');
  expect(() => between(s3('a', 'lake/deep'), s3('a', ''))).toThrow('--witness');
  expect(() => between(s3('a', 'lake'), s3('a', 'lake-2'))).not.toThrow();
  expect(() => between(s3('a', 'lake'), s3('b', 'lake'))).not.toThrow();
  expect(() => between(s3('a', ''), { kind: 'local', folder: '/' })).not.toThrow();
});
