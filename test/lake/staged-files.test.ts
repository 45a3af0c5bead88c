import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appendPieces, piecesAfter } from '../../src/lake/staged-files.ts';

it('pieces are appended in order, also more of them than one system call takes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bce-pieces-'));
  const file = join(folder, 'lines');
  const texts = Array.from({ length: 2_500 }, (_, at) => `${at}\n`);
  try {
    await appendPieces(file, [Buffer.from('begin\n')]);
    await appendPieces(file, []);
    await appendPieces(
      file,
      texts.map((text) => Buffer.from(text)),
    );
    expect(await readFile(file, 'utf8')).toBe(`begin\n${texts.join('')}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('after a short write, the rest is written: not a byte twice, and none left out', () => {
  const pieces = ['ab', '', 'cde', 'f'].map((text) => Buffer.from(text));
  const rests = Array.from({ length: 7 }, (_, bytes) => Buffer.concat(piecesAfter(pieces, bytes)).toString());
  expect(rests).toEqual(['abcdef', 'bcdef', 'cdef', 'def', 'ef', 'f', '']);
  expect(piecesAfter(pieces, 6)).toEqual([]);
});
