import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeConformance } from './conformance.ts';

storeConformance(
  'a local folder',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bce-local-store-'));
    return {
      description: { kind: 'local', folder },
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },
  8,
);
