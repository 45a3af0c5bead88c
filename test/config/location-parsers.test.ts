import { describe, expect, test } from 'vitest';
import { InvalidValue } from '../../src/config/invalid-value.ts';
import { file, folder, lake } from '../../src/config/location-parsers.ts';

const cwd = '/home/somebody';

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidValue) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a lake that is meant to be on S3 never becomes a folder of that name', () => {
  test.each([
    ['s3:/bucket/x', 's3://bucket/x'],
    ['s3:bucket/x', 's3://bucket/x'],
    ['s3//bucket/x', 's3://bucket/x'],
    ['s3/bucket/x', 's3://bucket/x'],
    ['s3;//bucket/x', 's3://bucket/x'],
    ['s3 ://bucket/x', 's3://bucket/x'],
    ['s3:\\\\bucket\\x', 's3://bucket/x'],
    ['S3://bucket/x', 's3://bucket/x'],
    ['S3:/bucket/x/', 's3://bucket/x'],
    ['s3a://bucket/x', 's3://bucket/x'],
    ['s3n://bucket/x', 's3://bucket/x'],
    ['s3:///bucket/x', 's3://bucket/x'],
    ['s3://s3://bucket/x', 's3://bucket/x'],
    ['s3://bucket//x', 's3://bucket/x'],
    ['s3://arn:aws:s3:::bucket/x', 's3://bucket/x'],
    ['arn:aws:s3:::bucket/x', 's3://bucket/x'],
    ['arn:aws:s3:::bucket', 's3://bucket'],
    ['arn:aws-us-gov:s3:::bucket/x', 's3://bucket/x'],
    ['https://bucket.s3.amazonaws.com/x', 's3://bucket/x'],
    ['https://my.bucket.s3.eu-central-1.amazonaws.com/x/', 's3://my.bucket/x'],
    ['https://bucket.s3.dualstack.us-east-1.amazonaws.com/x', 's3://bucket/x'],
    ['https://bucket.s3-us-west-2.amazonaws.com/x', 's3://bucket/x'],
    ['https://bucket.s3.cn-north-1.amazonaws.com.cn/x', 's3://bucket/x'],
    ['https://s3.us-east-1.amazonaws.com/bucket/x', 's3://bucket/x'],
    ['http://bucket.s3.amazonaws.com:80/x', 's3://bucket/x'],
    ['bucket.s3.us-east-1.amazonaws.com/x', 's3://bucket/x'],
    [
      'https://us-east-1.console.aws.amazon.com/s3/buckets/bucket?region=us-east-1&prefix=a/b/',
      's3://bucket/a/b',
    ],
  ])('%j: did you mean %s?', (word, meant) => {
    const message = refusal(() => lake(word, cwd));
    expect(message).toContain(`Did you mean ${meant}? Write s3://bucket/prefix`);
    expect(lake(meant, cwd).kind).toBe('s3');
  });

  test.each([
    ['s3', /looks like an S3 location/],
    ['s3:', /looks like an S3 location/],
    ['S3://', /Write s3:\/\/bucket\/prefix/],
    ['//bucket/x', /looks like an S3 location/],
    ['arn:aws:s3:us-east-1:111122223333:accesspoint/name', /Write s3:\/\/bucket\/prefix, or a local folder/],
    ['arn:aws:s3express:us-east-1:111122223333:bucket/x', /Write s3/],
    ['s3://bucket//x/../y', /relative.*prefix\. Write s3:\/\/bucket/],
    ['s3:/bucket/./x', /in the form s3:\/\/bucket\/prefix\. Write s3:\/\/bucket/],
    ['arn:aws:s3:::bucket/../x', /in the form s3:\/\/bucket\/prefix\. Write s3:\/\/bucket/],
    ['arn:aws:iam::111122223333:role/x', /begins with arn:.*not a local folder/],
    ['gs://bucket/x', /begins with gs:\/\//],
    ['abfss://container@account.dfs.core.windows.net/x', /begins with abfss:\/\//],
    ['hdfs:/x', /begins with hdfs:/],
    ['https://example.com/bucket', /begins with https:\/\//],
    ['file:///data/lake', /Did you mean \/data\/lake\?/],
    ['file:/data/lake', /Did you mean \/data\/lake\?/],
    ['"s3://bucket/x"', /quotation mark.*Write s3:\/\/bucket\/x without/],
    ["'./lake'", /quotation mark.*Write \.\/lake without/],
    ['s3://bucket/x"', /quotation mark/],
    ['~', /begins with ~/],
    ['~/lake', /begins with ~/],
    ['~somebody/lake', /begins with ~/],
    ['$HOME/lake', /variable that no shell has expanded/],
    ['/data/$(hostname)/lake', /variable that no shell has expanded/],
    ['./la\tke', /control character/],
    ['./la\nke', /control character/],
    ['s3://bucket/la\tke', /unprintable folder name/],
    ['s3://bucket/la\u007fke/x', /unprintable folder name/],
  ])('%j is refused', (word, message) => {
    expect(refusal(() => lake(word, cwd))).toMatch(message);
  });

  test.each([
    ['./lake', '/home/somebody/lake'],
    ['lake', '/home/somebody/lake'],
    ['../s3/lake', '/home/s3/lake'],
    ['./s3/bucket', '/home/somebody/s3/bucket'],
    ['./s3:/bucket', '/home/somebody/s3:/bucket'],
    ['s3-lake', '/home/somebody/s3-lake'],
    ['s3.lake', '/home/somebody/s3.lake'],
    ['/data/a lake', '/data/a lake'],
    ['/data/2026:11', '/data/2026:11'],
  ])('%j is a local folder', (word, expected) => {
    expect(lake(word, cwd)).toEqual({ kind: 'local', folder: expected });
  });
});

test.each([
  ['folder', folder],
  ['file', file],
])('no other %s is a place on S3, a URL or a name that a shell has left as it was', (what, read) => {
  for (const word of ['s3://bucket/x', 'file:///x', 'https://x', '~bob/x', '$HOME/x', '"x"', 'x\n']) {
    expect(refusal(() => read(word, cwd))).toMatch(/\. (Write|Did you mean)/);
  }
  expect(read('s3/x', cwd), what).toBe('/home/somebody/s3/x');
});
