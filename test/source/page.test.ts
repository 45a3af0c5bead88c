import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { releaseMemory } from '../../src/shared/release-memory.ts';
import { HeldPage, pageOf } from '../../src/source/page.ts';

async function heldPage() {
  const body = Buffer.from(JSON.stringify({ CopyJobs: [{ CopyJobId: 'a' }, { CopyJobId: 'b' }] }));
  const answer = { status: 200, date: 5, requestId: null, body: Buffer.concat([body]), isUtf8: true };
  const given: string[] = [];
  const page = new HeldPage(await pageOf(answer, 'CopyJobs'), 1, () => given.push('back'));
  return { page, given };
}

test('a page that drops its records frees them, and holds its memory until it is released', async () => {
  const { page, given } = await heldPage();
  const [first] = page.records;
  page.drop();
  expect(() => page.records).toThrow(TypeError);
  expect(() => first?.value).toThrow(TypeError);
  expect(given).toEqual([]);
  page.release();
  page.drop();
  page.release();
  expect(given).toEqual(['back']);
});

test('a page that is released drops its records', async () => {
  const { page, given } = await heldPage();
  const [first] = page.records;
  page.release();
  expect(() => first?.value).toThrow(TypeError);
  expect(given).toEqual(['back']);
});

test('nothing that a page keeps holds records that it dropped', async () => {
  const { page } = await heldPage();
  const records = new WeakRef(page.records);
  page.drop();
  // A WeakRef holds its target until the end of the turn (tc39.es/ecma262, WeakRef Objects).
  await nextTurn();
  releaseMemory();
  expect(records.deref()).toBeUndefined();
  expect(page.observedAt).toBe(5);
});
