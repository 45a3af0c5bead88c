import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { planRepair } from '../../src/repair/plan-repair.ts';
import type { ContentSource } from '../../src/repair/sources.ts';
import { type FindingKind, finding } from '../../src/verify/finding.ts';
import { Sightings } from '../../src/verify/sightings.ts';

const part = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const earlier = Buffer.from('the part as the newest checkpoint names it');
const sha256 = hash('sha256', earlier);

/** A backup of the night before. */
const backup: ContentSource = {
  find: async ({ accepts }) => ({
    found: accepts(earlier)
      ? { bytes: earlier, from: 'the backup', metadata: {}, contentType: 'application/octet-stream' }
      : null,
    unread: [],
  }),
};

/** What is planned for the part when this was found beside it. */
async function planned(beside: readonly FindingKind[]): Promise<string | undefined> {
  const findings = [
    ...beside.map((kind) => finding(kind, '_ledger/checkpoints/00000/00000003.json', 'it is not as it was')),
    finding('object-unproven', part, 'its SHA-256 is another', {
      expected: { sha256, bytes: earlier.length },
    }),
  ];
  const options = {
    store: { read: async () => null },
    keys: [],
    sources: [backup],
    keepsDeleted: true,
    now: Date.UTC(2026, 10, 21),
    signal: new AbortController().signal,
  };
  for await (const step of planRepair({ findings, sightings: new Sightings() }, options))
    if (step.key === part) return step.action.kind;
  return undefined;
}

it('restores what the newest checkpoint names', async () => {
  expect(await planned([])).toBe('restore');
});

it.each(['checkpoint-rolled-back', 'checkpoint-forked', 'run-unproven', 'checkpoint-unsigned'] as const)(
  'replaces no part by what a checkpoint names that may be older than it: %s',
  async (kind) => {
    expect(await planned([kind])).toBe('none');
  },
);
