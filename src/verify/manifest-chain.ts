/**
 * The chain of manifests. Each names earlier ones with their SHA-256, namely those that no other named yet. So a manifest
 * that was changed or removed is missed by a later one. For the newest, only a checkpoint can tell.
 */

import { manifestKey } from '../lake/layout.ts';
import type { ManifestFacts } from '../ledger/read-runs.ts';
import { daysLinked } from '../ledger/runs.ts';
import { largest } from '../shared/extremes.ts';
import { bytesText } from './altered-objects.ts';
import { type Finding, finding } from './finding.ts';
import type { WitnessedManifests } from './witnessed-manifests.ts';

/** A manifest that is there. */
export interface ChainLink {
  readonly key: string;
  readonly runId: string;
  readonly asOf: number;
  readonly date: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
  /** Null: it is unreadable, or names another run than its key. */
  readonly previous: ManifestFacts['previous'] | null;
}

export interface CheckedChain {
  readonly findings: readonly Finding[];
  /** The runs whose manifests are gone or changed, so that nobody knows what they wrote. */
  readonly lost: ReadonlySet<string>;
  /** The manifests that no other names: nothing in the lake vouches for them. */
  readonly heads: readonly string[];
}

/** A manifest that another names and that is not there. */
export interface MissingLink {
  readonly key: string;
  readonly runId: string | null;
  readonly asOf: number | null;
}

interface Named {
  readonly by: ChainLink;
  readonly sha256: string;
}

/** @param endedBefore whether a run had ended when another began */
export function checkChain(
  links: readonly ChainLink[],
  missing: readonly MissingLink[],
  endedBefore: (run: ChainLink, other: ChainLink) => boolean,
  witnessed: WitnessedManifests,
): CheckedChain {
  const byKey = new Map(links.map((link) => [link.key, link]));
  const named = new Map<string, Named[]>();
  for (const by of links) {
    for (const { key, sha256 } of by.previous ?? []) {
      named.set(key, [...(named.get(key) ?? []), { by, sha256 }]);
    }
  }
  const changed = changedLinks(links, named, byKey, witnessed);
  const findings: Finding[] = missing.map(({ key, runId }) => {
    const [namer] = named.get(key) ?? [];
    const witness = witnessed.get(key);
    const by = namer?.by.key ?? `checkpoint ${witness?.checkpoint}`;
    return finding('manifest-missing', key, `the manifest is gone, and ${by} names it`, {
      run_id: runId,
      expected: { sha256: witness?.sha256 ?? namer?.sha256 ?? '', bytes: null },
    });
  });
  for (const [link, why] of changed) {
    const sha256 = witnessed.get(link.key)?.sha256 ?? named.get(link.key)?.[0]?.sha256;
    findings.push(
      finding('manifest-changed', link.key, why, {
        run_id: link.runId,
        expected: sha256 === undefined ? null : { sha256, bytes: null },
      }),
    );
  }
  // What a lost manifest named is unknown.
  const lostAt = largest(
    [...missing, ...changed.keys()].map(({ asOf }) => asOf ?? Number.POSITIVE_INFINITY),
    Number.NEGATIVE_INFINITY,
  );
  const heads = links.filter(({ key }) => !named.has(key));
  for (const link of heads) {
    const successor = links.find((other) => other.previous !== null && endedBefore(link, other));
    if (successor === undefined || link.asOf <= lostAt || changed.has(link)) continue;
    const dates = new Set(
      links.map(({ date }) => date).filter((date) => date > link.date && date <= successor.date),
    );
    if (dates.size >= daysLinked) continue;
    findings.push(
      finding(
        'manifest-unchained',
        link.key,
        `no later manifest names it, although ${successor.key} belongs to a run that began after this one ended`,
        { run_id: link.runId },
      ),
    );
  }
  const lost = [...changed.keys()].map(({ runId }) => runId);
  const gone = missing.flatMap(({ runId }) => (runId === null ? [] : [runId]));
  return { findings, lost: new Set([...lost, ...gone]), heads: heads.map(({ key }) => key) };
}

/** A manifest counts as a witness only if its own witnesses agree with it. */
function changedLinks(
  links: readonly ChainLink[],
  named: ReadonlyMap<string, readonly Named[]>,
  byKey: ReadonlyMap<string, ChainLink>,
  witnessed: WitnessedManifests,
): ReadonlyMap<ChainLink, string> {
  const changed = new Map<ChainLink, string>();
  const waiting = new Map(links.map((link) => [link.key, (named.get(link.key) ?? []).length]));
  const ready = links.filter(({ key }) => waiting.get(key) === 0);
  for (const link of ready) {
    const witness = (named.get(link.key) ?? []).find(
      ({ by, sha256 }) => !changed.has(by) && sha256 !== link.sha256,
    );
    const signed = witnessed.get(link.key);
    if (link.previous === null) changed.set(link, 'it is not the manifest of this run');
    else if (signed !== undefined && signed.sha256 !== link.sha256) {
      changed.set(
        link,
        `${bytesText(link.sha256)}, and checkpoint ${signed.checkpoint} names ${signed.sha256}`,
      );
    } else if (witness !== undefined) {
      changed.set(link, `${bytesText(link.sha256)}, and ${witness.by.key} names ${witness.sha256}`);
    }
    for (const { key } of link.previous ?? []) {
      const left = (waiting.get(key) ?? 0) - 1;
      waiting.set(key, left);
      const next = byKey.get(key);
      if (left === 0 && next !== undefined) ready.push(next);
    }
  }
  for (const link of links) {
    if ((waiting.get(link.key) ?? 0) > 0)
      changed.set(link, 'it and later manifests name each other in a circle');
  }
  return changed;
}

/** The key of the manifest that a run has or should have. */
export function manifestOf({ runId, date }: { readonly runId: string; readonly date: string }): string {
  return manifestKey(date, runId);
}
