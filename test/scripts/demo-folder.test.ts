import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyFolder } from '../../scripts/demo-folder.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'backup-copy-export-demo-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('a second demo starts from an empty folder', () => {
  const folder = join(parent, 'demo');
  emptyFolder(folder);
  writeFileSync(join(folder, 'truth.ndjson'), 'old');
  emptyFolder(folder);
  expect(readdirSync(folder)).toEqual(['.made-by-npm-run-demo']);
});

test('a folder that somebody else filled is not touched', () => {
  const folder = join(parent, 'demo');
  mkdirSync(folder);
  writeFileSync(join(folder, 'precious'), '');
  expect(() => emptyFolder(folder)).toThrow(/the demo did not create it\. Move it away/);
  expect(readdirSync(folder)).toEqual(['precious']);
});
