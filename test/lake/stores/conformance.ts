/** What every store must do, whoever keeps its objects. Run for the local one, and for real S3 servers as peers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys } from '../../../src/lake/stores/key.ts';
import type { Store } from '../../../src/lake/stores/store.ts';
import { LakeError } from '../../../src/shared/errors.ts';
import { openDescribed, type StoreDescription, writeOf } from './described-store.ts';

export interface Subject {
  readonly description: StoreDescription;
  stop(): Promise<void>;
}

const absent = { ifAbsent: true } as const;

/** @param kills how many writers to kill in the middle of their work */
export function storeConformance(name: string, start: () => Promise<Subject>, kills: number): void {
  describe(`${name}, as a store`, () => {
    let subject: Subject;
    let store: Store;
    let scratch: string;

    beforeAll(async () => {
      subject = await start();
      store = await openDescribed(subject.description);
      scratch = await mkdtemp(join(tmpdir(), 'bce-conformance-'));
    });
    afterAll(async () => {
      await store?.close();
      await subject?.stop();
      await rm(scratch, { recursive: true, force: true });
    });

    const listed = async (prefix: string, options = {}) => {
      const keys: string[] = [];
      for await (const key of store.list(prefix, options)) keys.push(key);
      return keys;
    };
    const textOf = async (key: string) => {
      const found = await store.read(key);
      return found === null ? null : Buffer.from(found.bytes).toString('utf8');
    };

    it('says null, and nothing worse, for what is not there', async () => {
      expect(await store.read('none/at-all')).toBeNull();
      expect(await store.download('none/at-all', join(scratch, 'none'))).toBeNull();
      expect(await listed('none/')).toEqual([]);
      expect(await listed('none/', { folders: true })).toEqual([]);
    });

    it('gives back what was created, under one etag, by reading and by downloading', async () => {
      const put = await store.put(writeOf('basic/created', 'first', absent));
      if (!put.written) throw new Error('not written');
      expect(put.size).toBe(5);
      const file = join(scratch, 'created');
      await writeFile(file, 'something longer that must go');
      expect(await store.download('basic/created', file)).toEqual({
        etag: put.etag,
        size: 5,
        sha256: sha256(Buffer.from('first')),
      });
      expect(await readFile(file, 'utf8')).toBe('first');
      expect(await store.read('basic/created')).toEqual({
        etag: put.etag,
        size: 5,
        bytes: Buffer.from('first'),
      });
    });

    it('holds an empty object', async () => {
      expect((await store.put(writeOf('basic/empty', '', absent))).written).toBe(true);
      expect(await textOf('basic/empty')).toBe('');
    });

    it('does not create over an object', async () => {
      await store.put(writeOf('basic/once', 'mine', absent));
      expect(await store.put(writeOf('basic/once', 'yours', absent))).toEqual({ written: false });
      expect(await textOf('basic/once')).toBe('mine');
    });

    it('replaces an object that is as it was read, and no other', async () => {
      const first = await store.put(writeOf('basic/replaced', 'one', absent));
      if (!first.written) throw new Error('not written');
      const second = await store.put(writeOf('basic/replaced', 'two', { ifMatch: first.etag }));
      if (!second.written) throw new Error('not written');
      expect(second.etag).not.toBe(first.etag);
      expect(await store.put(writeOf('basic/replaced', 'three', { ifMatch: first.etag }))).toEqual({
        written: false,
      });
      expect(await store.read('basic/replaced')).toMatchObject({
        etag: second.etag,
        bytes: Buffer.from('two'),
      });
    });

    it('does not replace what is gone, nor create it', async () => {
      const other = await store.put(writeOf('basic/other', 'other', absent));
      if (!other.written) throw new Error('not written');
      expect(await store.put(writeOf('basic/gone', 'new', { ifMatch: other.etag }))).toEqual({
        written: false,
      });
      expect(await store.read('basic/gone')).toBeNull();
    });

    it('lets exactly one of many win who create, and one of many who replace', async () => {
      const create = await Promise.all(
        Array.from({ length: 8 }, (_, n) => store.put(writeOf('race/created', `creator ${n}`, absent))),
      );
      expect(create.filter(({ written }) => written)).toHaveLength(1);
      const etag = (await store.read('race/created'))?.etag ?? '';
      const replace = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          store.put(writeOf('race/created', `heir ${n}`, { ifMatch: etag })),
        ),
      );
      expect(replace.filter(({ written }) => written)).toHaveLength(1);
    });

    it('takes a large file, sent in parts or not, under the same conditions', async () => {
      // Not a multiple of any part, and no two parts alike.
      const bytes = Buffer.alloc(21_000_001);
      for (let at = 0; at < bytes.length; at += 4)
        bytes.writeUInt32LE(at >>> 2, Math.min(at, bytes.length - 4));
      const file = join(scratch, 'large');
      await writeFile(file, bytes);
      const put = await store.put(writeOf('large/file', { file }, absent));
      if (!put.written) throw new Error('not written');
      expect(put.size).toBe(bytes.length);
      expect(await store.put(writeOf('large/file', { file }, absent))).toEqual({ written: false });
      expect(await store.put(writeOf('large/none', { file }, { ifMatch: put.etag }))).toEqual({
        written: false,
      });
      const copy = join(scratch, 'large-copy');
      expect(await store.download('large/file', copy)).toEqual({
        etag: put.etag,
        size: bytes.length,
        sha256: sha256(bytes),
      });
      expect(sha256(await readFile(copy))).toBe(sha256(bytes));

      const half = bytes.subarray(0, 11_000_000);
      const replaced = await store.put(writeOf('large/file', half, { ifMatch: put.etag }));
      expect(replaced.written).toBe(true);
      expect(await store.put(writeOf('large/file', { file }, { ifMatch: put.etag }))).toEqual({
        written: false,
      });
      expect(sha256((await store.read('large/file'))?.bytes ?? Buffer.alloc(0))).toBe(sha256(half));
    });

    it('honours the conditions of a small write that is sent in parts', async () => {
      const first = await store.put({ ...writeOf('parts/small', 'one', absent), multipart: true });
      if (!first.written) throw new Error('not written');
      const again = { ...writeOf('parts/small', 'two', absent), multipart: true };
      expect(await store.put(again)).toEqual({ written: false });
      const wrong = { ...writeOf('parts/small', 'two', { ifMatch: `${first.etag}x` }), multipart: true };
      expect(await store.put(wrong)).toEqual({ written: false });
      expect(await textOf('parts/small')).toBe('one');
    });

    it('keeps keys that URLs, XML and file systems find odd', async () => {
      const keys = [
        'odd/a b+c%20d&e=f#g?h.json',
        'odd/quote"apos\'<tag>.json',
        'odd/schön/ключ/鍵.json',
        'odd/emoji-😀.json',
        'odd/=*,;:@$!()[]{}|~^`.json',
        'odd/...json',
      ];
      for (const key of keys)
        expect(await store.put(writeOf(key, key, absent))).toMatchObject({ written: true });
      for (const key of keys) expect(await textOf(key)).toBe(key);
      expect((await listed('odd/')).sort()).toEqual([...keys].sort());
    });

    it.each([
      '',
      '/x',
      'x/',
      'a//b',
      '../x',
      'a/../../x',
      'a/..',
      './x',
      'a\\b',
      'a\u0000b',
      'a\nb',
      '\ud800',
      'x'.repeat(1025),
    ])('refuses the key %j, which no store could keep', async (key) => {
      await expect(store.read(key)).rejects.toThrow(LakeError);
      await expect(store.download(key, join(scratch, 'refused'))).rejects.toThrow(LakeError);
      await expect(store.put(writeOf(key, 'x', absent))).rejects.toThrow(LakeError);
    });

    it('lists by the bytes of UTF-8, by any prefix, and by folders', async () => {
      // U+FF5E sorts before U+1D4B3 in UTF-8 and after it in UTF-16; "-" and "." sort before "/".
      const keys = [
        'sorted/a-b',
        'sorted/a.b',
        'sorted/a/b',
        'sorted/a/c/d',
        'sorted/ab',
        'sorted/b/c',
        'sorted/\uff5e',
        'sorted/\u{1d4b3}',
      ];
      for (const key of [...keys].reverse()) await store.put(writeOf(key, '', absent));
      expect(await listed('sorted/')).toEqual(keys);
      expect(await listed('sorted')).toEqual(keys);
      expect(await listed('sorted/a')).toEqual(keys.slice(0, 5));
      expect(await listed('sorted/a/')).toEqual(['sorted/a/b', 'sorted/a/c/d']);
      expect(await listed('sorted/ab')).toEqual(['sorted/ab']);
      expect(await listed('sorted/abc')).toEqual([]);
      expect(await listed('sorted/', { folders: true })).toEqual(['sorted/a/', 'sorted/b/']);
      expect(await listed('sorted/a/', { folders: true })).toEqual(['sorted/a/c/']);
    });

    it('lists past a thousand keys, each once, in order', async () => {
      const keys = Array.from({ length: 1_100 }, (_, n) => `many/day=${n % 7}/part-${n}`);
      const limit = pLimit(16);
      await Promise.all(keys.map((key) => limit(() => store.put(writeOf(key, '', absent)))));
      expect(await listed('many/')).toEqual([...keys].sort(compareKeys));
      expect(await listed('many/', { folders: true })).toHaveLength(7);
    });

    it('rejects with the reason of an aborted signal', async () => {
      const reason = new Error('stop now');
      const signal = AbortSignal.abort(reason);
      await expect(store.read('basic/created', signal)).rejects.toBe(reason);
      await expect(store.download('basic/created', join(scratch, 'x'), signal)).rejects.toBe(reason);
      await expect(store.put(writeOf('basic/aborted', 'x', absent), signal)).rejects.toBe(reason);
      await expect(store.list('basic/', {}, signal)[Symbol.asyncIterator]().next()).rejects.toBe(reason);
      expect(await store.read('basic/aborted')).toBeNull();
    });

    it('loses no increment of two processes that count at once', async () => {
      const each = 60;
      const children = [1, 2].map(() => runWriter(subject.description, 'shared/counter', 'increment', each));
      await Promise.all(children.map((child) => once(child.stdout ?? child, 'data')));
      for (const child of children) child.stdin?.end();
      await Promise.all(children.map(endedWell));
      expect(Number(await textOf('shared/counter'))).toBe(2 * each);
    });

    it('shows a reader the object before or the one after, under its own etag, while it is replaced', async () => {
      const child = runWriter(subject.description, 'shared/letters', 'replace');
      try {
        await once(child.stdout ?? child, 'data');
        const contents = new Map<string, string>();
        const file = join(scratch, 'letters');
        for (let reads = 0; reads < 60 || contents.size < 2; reads += 1) {
          const found = await store.download('shared/letters', file);
          if (found === null) {
            await wait(5);
            continue;
          }
          const bytes = await readFile(file);
          expect(bytes.length).toBe(found.size);
          expectWhole(bytes);
          const letter = bytes.subarray(0, 1).toString();
          expect(contents.get(found.etag) ?? letter).toBe(letter);
          contents.set(found.etag, letter);
        }
        expect(contents.size).toBeGreaterThan(1);
      } finally {
        child.kill('SIGKILL');
        await exited(child);
      }
    });

    it('is whole, and takes new writes, whenever a writer is killed', async () => {
      for (let killed = 0; killed < kills; killed += 1) {
        const child = runWriter(subject.description, 'shared/killed', 'replace');
        await once(child.stdout ?? child, 'data');
        await wait((killed * 37) % 200);
        child.kill('SIGKILL');
        await exited(child);
        // What the dead had sent may still arrive at a server, once.
        let written = false;
        for (let tries = 0; tries < 3 && !written; tries += 1) {
          const found = await store.read('shared/killed');
          if (found !== null) expectWhole(Buffer.from(found.bytes));
          const condition = found === null ? absent : { ifMatch: found.etag };
          written = (await store.put(writeOf('shared/killed', 'zzz', condition))).written;
        }
        expect(written).toBe(true);
      }
      expect(await store.read('shared/killed')).not.toBeNull();
    });
  });
}

/** The bodies of `replace`: one letter, in the length that goes with it; or the test's own. */
function expectWhole(bytes: Buffer): void {
  const letter = (bytes[0] ?? 0) - 97;
  if (bytes.toString('latin1', 0, 4) === 'zzz') return;
  expect(bytes.length).toBe(2_000_000 + letter * 100_000);
  expect(bytes.equals(Buffer.alloc(bytes.length, bytes[0]))).toBe(true);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function runWriter(description: StoreDescription, key: string, work: string, times = 0): ChildProcess {
  const program = join(import.meta.dirname, 'writer-process.ts');
  return spawn(process.execPath, [program, JSON.stringify(description), key, work, String(times)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function endedWell(child: ChildProcess): Promise<void> {
  await exited(child);
  expect(child.exitCode).toBe(0);
}
