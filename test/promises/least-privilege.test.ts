import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));

it('asks AWS for lists and identities, and for nothing else', async () => {
  const lab = await openLab();
  try {
    await lab.run();
    const asked = new Set(lab.simulator.requests().counts.map(({ api }) => api));
    expect([...asked].sort()).toEqual([
      'AssumeRole',
      'GetCallerIdentity',
      'ListAccounts',
      'ListCopyJobSummaries',
      'ListCopyJobs',
      'ListRegions',
    ]);
    expect(lab.simulator.requests().counts.every(({ status }) => status === 200)).toBe(true);
  } finally {
    await lab.close();
  }
});

it('writes nothing outside the lake and its own scratch, and leaves no scratch behind', async () => {
  const lab = await openLab();
  try {
    await lab.run();
    const top = (await readdir(lab.folder)).sort();
    expect(top).toEqual(['lake', 'scratch', 'truth.ndjson']);
    expect((await readdir(lab.lake)).sort()).toEqual([
      '_ledger',
      'copy_job_summaries',
      'copy_jobs',
      'export_coverage',
      'export_reconciliation',
    ]);
    const tables = await readdir(join(lab.lake, 'copy_jobs'), { recursive: true, withFileTypes: true });
    const parts = tables.filter((one) => one.isFile());
    expect(parts.length).toBeGreaterThan(2);
    for (const entry of parts) expect(entry.name).toMatch(/^part-\d{5}\.parquet$/);
    expect((await readdir(join(lab.folder, 'scratch'))).filter((name) => !name.startsWith('.'))).toEqual([]);
  } finally {
    await lab.close();
  }
});

it('has no command in it that deletes an object or changes anything in AWS but parts of the lake', async () => {
  const commands = new Set<string>();
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    // What catalog and repair may change is another role's: test/catalog/ and test/peers/repair/ say what that is.
    if (!entry.isFile() || /\/(simulator|catalog|repair)(\/|$)/.test(entry.parentPath)) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const [, command] of text.matchAll(/\bnew (\w+Command)\(/g)) commands.add(String(command));
  }
  expect(commands.size).toBeGreaterThan(8);
  const writes = [...commands].filter((name) => !/^(Get|Head|List|Describe|AssumeRole)/.test(name)).sort();
  expect(writes).toEqual([
    'AbortMultipartUploadCommand',
    'CompleteMultipartUploadCommand',
    'CreateMultipartUploadCommand',
    'PutObjectCommand',
    // Of KMS, which changes nothing: it signs a digest.
    'SignCommand',
    'UploadPartCommand',
  ]);
});

it('a plan leaves no trace', async () => {
  const lab = await openLab();
  try {
    const plan = await lab.plan();
    expect(plan).toMatchObject({ exit_code: 0, lake_exists: false, targets: 6, readable: 6 });
    expect((await readdir(lab.folder)).sort()).toEqual(['truth.ndjson']);
    await lab.run();
    const before = await lab.everyFile();
    expect((await lab.plan()).lake_exists).toBe(true);
    expect(await lab.everyFile()).toEqual(before);
  } finally {
    await lab.close();
  }
});
