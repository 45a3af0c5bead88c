import { describe, expect, it } from 'vitest';
import type { PutRequest } from '../../src/lake/stores/store.ts';
import { applyStep, type RepairTarget } from '../../src/repair/apply-step.ts';
import type { Step } from '../../src/repair/plan-repair.ts';
import type { Sighting } from '../../src/verify/sightings.ts';

const key = '_ledger/watermarks/00000.json';
const there: Sighting = { state: 'there', etag: '"e1"' };
const content = { bytes: Buffer.from('right'), from: 'a version', metadata: {}, contentType: 'text/plain' };
const actions = {
  restore: { kind: 'restore', content },
  reset: { kind: 'reset' },
  hide: { kind: 'hide' },
} as const;

/** What a step does to an object that has this ETag now; null: there is none. */
async function applied(
  kind: keyof typeof actions,
  seen: Sighting,
  now: string | null,
  { isWritten = true, hasMarker = false } = {},
) {
  const puts: PutRequest['condition'][] = [];
  const hidden: (string | null)[] = [];
  let overMarker = 0;
  const target: RepairTarget = {
    store: {
      put: async ({ condition }) => {
        puts.push(condition);
        return isWritten ? { written: true, etag: '"new"', size: 5 } : { written: false };
      },
    },
    etagOf: async () => now,
    writeOverMarker: async () => {
      overMarker += 1;
      return hasMarker;
    },
    hide: async (_, etag) => {
      hidden.push(etag);
      return etag === null || etag === now;
    },
    signal: new AbortController().signal,
  };
  const step: Step = { key, findings: [], seen, advice: '', action: actions[kind] };
  return { outcome: await applyStep(step, target), puts, hidden, overMarker };
}

describe.each(['restore', 'reset'] as const)('%s', (kind) => {
  it('replaces the object that was found damaged, and only it', async () => {
    expect(await applied(kind, there, '"e1"')).toMatchObject({
      outcome: 'done',
      puts: [{ ifMatch: '"e1"' }],
    });
    expect(await applied(kind, there, '"e2"')).toMatchObject({ outcome: 'changed', puts: [] });
    expect(await applied(kind, there, null)).toMatchObject({ outcome: 'changed', puts: [] });
    expect(await applied(kind, there, '"e1"', { isWritten: false })).toMatchObject({
      outcome: 'changed',
      overMarker: 0,
    });
  });

  it.each(['absent', 'unread'] as const)(
    'writes where nothing was (%s), and only if nothing is',
    async (state) => {
      expect(await applied(kind, { state }, null)).toMatchObject({
        outcome: 'done',
        puts: [{ ifAbsent: true }],
      });
      expect(await applied(kind, { state }, '"e1"')).toMatchObject({ outcome: 'changed', puts: [] });
      const refused = { isWritten: false };
      expect(await applied(kind, { state }, null, refused)).toMatchObject({
        outcome: 'changed',
        overMarker: 1,
      });
      expect(await applied(kind, { state }, null, { ...refused, hasMarker: true })).toMatchObject({
        outcome: 'done',
        overMarker: 1,
      });
    },
  );

  it('leaves what changed while it was being verified', async () => {
    expect(await applied(kind, { state: 'changing' }, '"e1"')).toMatchObject({
      outcome: 'changed',
      puts: [],
    });
  });
});

describe('hide', () => {
  it('hides the object that was found, and only it', async () => {
    expect(await applied('hide', there, '"e1"')).toMatchObject({ outcome: 'done', hidden: ['"e1"'] });
    expect(await applied('hide', there, '"e2"')).toMatchObject({ outcome: 'changed', hidden: ['"e1"'] });
  });

  it('hides whatever has a name that does not belong there', async () => {
    expect(await applied('hide', { state: 'unread' }, '"e1"')).toMatchObject({
      outcome: 'done',
      hidden: [null],
    });
  });

  it.each(['absent', 'changing'] as const)('leaves what was %s', async (state) => {
    expect(await applied('hide', { state }, '"e1"')).toMatchObject({ outcome: 'changed', hidden: [] });
  });
});
