/** Where things lie, as a person writes it: a folder or a file on this machine, or a prefix on S3. */
import { resolve } from 'node:path';
import { InvalidValue } from './invalid-value.ts';
import type { LakeLocation } from './typed-values.ts';

/** A folder, made absolute. */
export function folder(word: string, cwd: string): string {
  return path(word, cwd, 'folder', 'Write a path such as ./folder.');
}

/** A file, made absolute. */
export function file(word: string, cwd: string): string {
  return path(word, cwd, 'file', 'Write a path such as ./file.');
}

const lakeForms = 'Write s3://bucket/prefix or a local folder; ./ before it makes any name a local folder.';

/** `s3://bucket/prefix`, or a local folder. A place that is meant to be on S3 never becomes a folder of that name. */
export function lake(word: string, cwd: string): LakeLocation {
  refuseQuotes(word);
  if (word.startsWith('s3://')) return s3Location(word);
  const onS3 = meantOnS3(word);
  if (onS3 !== null) {
    throw new InvalidValue('names a place on S3 in another way', didYouMean(onS3, lakeForms));
  }
  if (/^s3(?:$|[^\w.-])/i.test(word) || word.startsWith('//')) {
    throw new InvalidValue('looks like a place on S3, and is none', lakeForms);
  }
  return { kind: 'local', folder: path(word, cwd, 'folder', lakeForms) };
}

/** Bucket names: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketForm = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

function s3Location(word: string): LakeLocation {
  const [bucket = '', ...segments] = word.slice('s3://'.length).replace(/\/+$/, '').split('/');
  if (!bucketForm.test(bucket) || bucket.includes('..')) {
    throw new InvalidValue(
      'holds no valid bucket name',
      didYouMean(
        meantOnS3(word.slice('s3://'.length)) ?? place(word.slice('s3://'.length)),
        'Write s3://bucket/prefix with the 3 to 63 lower-case letters, digits, dots and hyphens of the bucket.',
      ),
    );
  }
  const prefix = segments.join('/');
  if (!isPlainPrefix(segments)) {
    throw new InvalidValue(
      'holds an empty, relative or unprintable folder in its prefix',
      didYouMean(
        segments.includes('') ? place(word.slice('s3://'.length)) : null,
        'Write s3://bucket/prefix with plain names between single slashes.',
      ),
    );
  }
  // A key has 1024 bytes at most; the longest one below a prefix has fewer than 200.
  if (Buffer.byteLength(prefix) > 800) {
    throw new InvalidValue('has too long a prefix', 'Write a prefix of at most 800 bytes.');
  }
  return { kind: 's3', bucket, prefix };
}

/** Without empty, relative or unprintable folders; a bucket alone has none. */
function isPlainPrefix(segments: readonly string[]): boolean {
  const prefix = segments.join('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(prefix)) return false;
  return prefix === '' || !segments.some((one) => ['', '.', '..'].includes(one));
}

function path(word: string, cwd: string, what: 'folder' | 'file', advice: string): string {
  refuseQuotes(word);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(word)) {
    throw new InvalidValue(`holds a control character, as no ${what} should`, advice);
  }
  if (word.startsWith('~')) {
    throw new InvalidValue(
      'begins with ~, which only a shell understands',
      `Write the ${what} in full, or with $HOME where a shell reads it.`,
    );
  }
  if (/^\$|\$\{|\$\(/.test(word)) {
    throw new InvalidValue(
      'holds a variable that nobody has replaced',
      `Write the ${what} in full, or let a shell read it.`,
    );
  }
  const local = /^file:\/*(\/.*)$/i.exec(word)?.[1];
  if (local !== undefined) throw new InvalidValue('is a URL of a local file', didYouMean(local, advice));
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(word)?.[1];
  const isDrive = process.platform === 'win32' && scheme?.length === 1;
  if (scheme !== undefined && !isDrive) {
    throw new InvalidValue(
      `begins with ${word.startsWith(`${scheme}://`) ? `${scheme}://` : `${scheme}:`}, which is no ${what}`,
      advice,
    );
  }
  return resolve(cwd, word);
}

/** A file of variables or a YAML list hands on the quotation marks that a shell would have taken off. */
function refuseQuotes(word: string): void {
  if (!/^["'`]|["'`]$/.test(word)) return;
  throw new InvalidValue(
    'has a quotation mark at its beginning or end, which only a shell takes off',
    `Write ${word.replace(/^["'`]+|["'`]+$/g, '')} without it.`,
  );
}

/** What a place on S3 that is written in another way would be; null: it is none. The result may still be refused. */
function meantOnS3(word: string): string | null {
  // arn:aws:s3:::bucket/prefix; arn:aws:s3:region:account:accesspoint/name has no bucket in it.
  const [, resource] = /^arn:[a-z0-9-]+:s3[a-z-]*:[^:]*:[^:]*:(.+)$/i.exec(word) ?? [];
  if (resource !== undefined) return /^(accesspoint|outpost)\b/i.test(resource) ? '' : place(resource);
  // docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: the bucket before the host, or in the path
  const [, host, rest = ''] =
    /^(?:https?:\/*)?([a-z0-9.-]*\.amazonaws\.com(?:\.cn)?)(?::\d+)?(?:\/(.*))?$/i.exec(word) ?? [];
  if (host !== undefined) {
    const [, bucket] = /^(.+)\.s3[.-]/i.exec(host) ?? [];
    if (bucket !== undefined) return place(`${bucket}/${rest}`);
    return /^s3[.-]/i.test(host) ? place(rest) : '';
  }
  const [, shown] = /console\.aws\.amazon\.com\/s3\/buckets\/([^/?]+)/i.exec(word) ?? [];
  if (shown !== undefined) {
    const prefix = URL.canParse(word) ? (new URL(word).searchParams.get('prefix') ?? '') : '';
    return place(`${shown}/${prefix}`);
  }
  const [, key] = /^s3[an]?(?:[:;/\\\s\uff1a]+)(.+)$/i.exec(word) ?? [];
  return key === undefined || (/^s3[an]/i.test(word) && !word.includes(':')) ? null : place(key);
}

function place(key: string): string {
  return `s3://${key
    .replace(/^[/\\]+/, '')
    .replace(/[/\\]+/g, '/')
    .replace(/\/$/, '')}`;
}

/** Advice with the place that was probably meant, where that one would be taken. */
function didYouMean(meant: string | null, otherwise: string): string {
  if (meant === null || meant === '') return otherwise;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(meant) ?? [];
  const isTaken = bucket === undefined || (bucketForm.test(bucket) && isPlainPrefix(prefix.split('/')));
  return isTaken ? `Did you mean ${meant}? ${otherwise}` : otherwise;
}
