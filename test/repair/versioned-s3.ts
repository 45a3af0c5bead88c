/**
 * A bucket that keeps versions, in memory, with S3's conditions. A test may have a version refused, or do something of its
 * own when a request comes.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Answer,
  type Reply,
  refusal,
  type S3Request,
  startScriptedS3,
} from '../lake/stores/scripted-s3.ts';
import { keysIn } from '../verify/damage.ts';

interface Version {
  readonly id: string;
  /** Null: a delete marker. */
  readonly bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Instead of its content, and of what HEAD says of it. */
  refused?: Answer;
}

export interface VersionedS3 {
  readonly endpoint: string;
  readonly bucket: string;
  readonly requests: readonly S3Request[];
  /** Called before each request is answered; what it returns is the answer. */
  onRequest: (request: S3Request) => Reply | undefined;
  /** Writes what differs from the newest version, as the program would. */
  load(folder: string): void;
  /** @param sha256 that the program would have stored with it; default: the right one */
  put(key: string, bytes: Uint8Array, sha256?: string): void;
  remove(key: string): void;
  /** The newest content; null: there is none. */
  content(key: string): Buffer | null;
  /** Has requests for the newest version with this content refused. */
  refuse(key: string, content: Uint8Array, answer: Answer): void;
  stop(): Promise<void>;
}

export async function startVersionedS3(): Promise<VersionedS3> {
  const bucket = 'versioned-bucket';
  /** Newest first. */
  const objects = new Map<string, Version[]>();
  let count = 0;
  const add = (key: string, bytes: Buffer | null, headers: Version['headers'] = {}): Version => {
    count += 1;
    const version = { id: `v${count}`, bytes, headers };
    objects.set(key, [version, ...(objects.get(key) ?? [])]);
    return version;
  };
  const newest = (key: string) => objects.get(key)?.[0];
  const put = (key: string, bytes: Uint8Array, sha256 = hash('sha256', bytes)) =>
    void add(key, Buffer.from(bytes), { 'x-amz-meta-sha256': sha256 });

  function answer(request: S3Request): Reply {
    const own = s3.onRequest(request);
    if (own !== undefined) return own;
    const { method, path, query } = request;
    const key = path.slice(`/${bucket}/`.length);
    if (key === '') return listing(query);
    const condition = request.headers['if-match'];
    const there = newest(key)?.bytes ?? null;
    if (method === 'PUT') {
      if (request.headers['if-none-match'] === '*' && there !== null)
        return refusal(412, 'PreconditionFailed');
      if (condition !== undefined && condition !== etagOf(there)) return refusal(412, 'PreconditionFailed');
      const kept = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
      const { bytes } = add(key, request.body, Object.fromEntries(kept) as Version['headers']);
      return { status: 200, headers: { etag: etagOf(bytes) } };
    }
    if (method === 'DELETE') {
      if (condition !== undefined && condition !== etagOf(there)) return refusal(412, 'PreconditionFailed');
      add(key, null);
      return { status: 204 };
    }
    const id = query.get('versionId');
    const version = id === null ? newest(key) : objects.get(key)?.find((one) => one.id === id);
    if (version === undefined || version.bytes === null) return refusal(404, 'NoSuchKey');
    if (version.refused !== undefined) return version.refused;
    return { status: 200, headers: { etag: etagOf(version.bytes), ...version.headers }, body: version.bytes };
  }

  function listing(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    if (query.has('versioning')) {
      return {
        status: 200,
        body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
      };
    }
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    if (query.has('versions')) {
      const all = keys.flatMap((key) =>
        (objects.get(key) ?? []).map(({ id, bytes }, at) => {
          const kind = bytes === null ? 'DeleteMarker' : 'Version';
          return `<${kind}><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${at === 0}</IsLatest><LastModified>2026-11-20T00:00:00.000Z</LastModified></${kind}>`;
        }),
      );
      return {
        status: 200,
        body: `<ListVersionsResult><IsTruncated>false</IsTruncated>${all.join('')}</ListVersionsResult>`,
      };
    }
    const there = keys.filter((key) => (newest(key)?.bytes ?? null) !== null);
    const folders = new Set<string>();
    const names = there.filter((key) => {
      const slash = query.get('delimiter') === '/' ? key.indexOf('/', prefix.length) : -1;
      if (slash >= 0) folders.add(key.slice(0, slash + 1));
      return slash < 0;
    });
    const contents = names.map((key) => `<Contents><Key>${key}</Key></Contents>`);
    const prefixes = [...folders].map((one) => `<CommonPrefixes><Prefix>${one}</Prefix></CommonPrefixes>`);
    return {
      status: 200,
      body: `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}${prefixes.join('')}</ListBucketResult>`,
    };
  }

  const server = await startScriptedS3((request) => {
    const reply = answer(request);
    if (typeof reply === 'string') return reply;
    return { ...reply, headers: { 'x-amz-request-id': 'REQ1', ...reply.headers } };
  });
  const s3: VersionedS3 = {
    endpoint: server.endpoint,
    bucket,
    requests: server.requests,
    onRequest: () => undefined,
    load(folder) {
      for (const key of keysIn(folder, '.').map((one) => one.replace(/^\.\//, ''))) {
        if (/^_ledger\/(lock|tmp\/)/.test(key)) continue;
        const bytes = readFileSync(join(folder, key));
        if (newest(key)?.bytes?.equals(bytes) !== true) put(key, bytes);
      }
    },
    put,
    remove: (key) => void add(key, null),
    content: (key) => newest(key)?.bytes ?? null,
    refuse(key, content, refused) {
      const version = objects.get(key)?.find(({ bytes }) => bytes?.equals(content));
      if (version === undefined) throw new Error(`${key} never had this content`);
      version.refused = refused;
    },
    stop: server.stop,
  };
  return s3;
}

function etagOf(bytes: Buffer | null): string {
  return bytes === null ? '' : `"${hash('md5', bytes)}"`;
}
