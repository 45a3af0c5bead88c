import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, expect, it, vi } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(async () => {
  vi.restoreAllMocks();
  await lab.close();
});

it('a run whose lake cannot be opened lets go of its connections to AWS', async () => {
  lab = await openLab();
  const file = join(lab.folder, 'no-folder');
  await writeFile(file, '');
  const closed = vi.spyOn(NodeHttpHandler.prototype, 'destroy');
  await expect(lab.run({ lake: file })).rejects.toMatchObject({ exitCode: 74 });
  expect(closed).toHaveBeenCalledOnce();
});
