import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../src/config/settings.ts';

const settings = (flags: Record<string, string>, env: Record<string, string> = {}) =>
  parseSettings({
    flags: { lake: './lake', ...flags },
    env,
    cwd: '/work',
    temporaryFolder: '/tmp',
    readFile: () => '',
  });

describe('which shard a process is', () => {
  it('is none unless somebody says so', () => {
    expect(settings({})).toMatchObject({ shard: null, night: null });
  });

  it('counts from 0', () => {
    expect(settings({ shard: '7/8' }).shard).toEqual({ index: 7, count: 8 });
    for (const shard of ['8/8', '1', '-1/8', 'a/b', '0/0', '1/2/3']) {
      expect(() => settings({ shard }), shard).toThrow(/numbers begin with 0/);
    }
  });

  it('is the completion index of a Kubernetes pod, with the number that we are told', () => {
    const env = {
      JOB_COMPLETION_INDEX: '3',
      BACKUP_COPY_EXPORT_SHARDS: '8',
      BACKUP_COPY_EXPORT_NIGHT: 'j-1',
    };
    expect(settings({}, env)).toMatchObject({ shard: { index: 3, count: 8 }, night: 'j-1' });
    expect(() => settings({}, { JOB_COMPLETION_INDEX: '3' })).toThrow(/BACKUP_COPY_EXPORT_SHARDS/);
    expect(() => settings({ shards: '3' }, { JOB_COMPLETION_INDEX: '3' })).toThrow(/begins with 0/);
  });

  it('is the index of a child of an AWS Batch array job, whose night has the id of the array', () => {
    const env = {
      AWS_BATCH_JOB_ARRAY_INDEX: '2',
      AWS_BATCH_JOB_ARRAY_SIZE: '4',
      AWS_BATCH_JOB_ID: '6c7f1a1e-31a3-4a2b-8d52-0d5f9c1b7a10:2',
    };
    expect(settings({}, env)).toMatchObject({
      shard: { index: 2, count: 4 },
      night: '6c7f1a1e-31a3-4a2b-8d52-0d5f9c1b7a10',
    });
    expect(() => settings({}, { AWS_BATCH_JOB_ARRAY_INDEX: '2' })).toThrow(/how many there are/);
  });

  it('is what --shard says, whatever the engine says', () => {
    const env = { JOB_COMPLETION_INDEX: '3', BACKUP_COPY_EXPORT_SHARDS: '8' };
    expect(settings({ shard: '1/8' }, env).shard).toEqual({ index: 1, count: 8 });
    expect(() => settings({ shard: '1/4' }, env)).toThrow(/different numbers of shards/);
  });

  it('refuses half of what it needs to know', () => {
    expect(() => settings({ shards: '8' })).toThrow(/nothing says which one this is/);
    expect(() => settings({ night: 'one' })).toThrow(/this is no shard/);
    expect(() => settings({ shard: '0/2', night: '../x' })).toThrow(/is not a name of a night/);
  });
});
