/** Plans what can be done about each object that `verify` found damaged. Changes nothing. */
import { creationDatesPrefix, watermarksPrefix } from '../lake/layout.ts';
import type { Finding } from '../verify/finding.ts';
import type { Sighting, Sightings } from '../verify/sightings.ts';
import { type Remedy, remedies } from './remedies.ts';
import type { ContentSource, FoundContent, UnreadContent } from './sources.ts';
import { type WantedOptions, wantedOf } from './wanted.ts';

/** One object, and what can be done about it. */
export interface Step {
  readonly key: string;
  readonly findings: readonly Finding[];
  /** The object that the findings are about. */
  readonly seen: Sighting;
  readonly action:
    | { readonly kind: 'restore'; readonly content: FoundContent }
    | { readonly kind: 'hide' }
    | { readonly kind: 'reset' }
    /** Nothing that repair can do: see the advice. */
    | { readonly kind: 'none'; readonly outcome: 'next-run' | 'read-again' | 'lost' | 'person' };
  /** For people: what happens, or what they can do. A sentence, without a full stop. */
  readonly advice: string;
}

type Planned = Pick<Step, 'action' | 'advice'>;

export interface PlanOptions extends Omit<WantedOptions, 'damaged'> {
  readonly sources: readonly ContentSource[];
  /** Whether a deletion only hides an object. */
  readonly keepsDeleted: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was found, and what of each object was seen when it was found. */
export interface LookedAt {
  readonly findings: readonly Finding[];
  readonly sightings: Pick<Sightings, 'of'>;
  /** Parts that could not be read, by key; why, and what a person can do. */
  readonly unread: ReadonlyMap<string, string>;
}

/** Of several findings about one object, the strongest remedy counts. */
const byStrength: readonly Remedy[] = ['restore', 'hide', 'reset', 'run', 'person'];

/** How long AWS surely keeps what it is asked for again: about 30 days of jobs, and 14 of counts (docs/design.md). */
const memoryDays = { copy_jobs: 30, copy_job_summaries: 14 } as const;

/**
 * While one of these stands, the newest checkpoint may be older than what a run wrote since. So it does not tell which
 * content of an object is the right one.
 */
const checkpointsInDoubt: ReadonlySet<Finding['kind']> = new Set([
  'checkpoint-rolled-back',
  'checkpoint-forked',
  'checkpoint-missing',
  'checkpoint-changed',
  'checkpoint-forged',
  'checkpoint-unsigned',
  'state-page-damaged',
  'run-unproven',
]);

export async function* planRepair(
  { findings, sightings }: Omit<LookedAt, 'unread'>,
  options: PlanOptions,
): AsyncGenerator<Step> {
  const byKey = Map.groupBy(findings, ({ key }) => key);
  const damaged = new Set(byKey.keys());
  const inDoubt = findings.some(({ kind }) => checkpointsInDoubt.has(kind));
  for (const [key, ofKey] of byKey) {
    options.signal.throwIfAborted();
    const planned =
      inDoubt && ofKey.every(({ kind }) => kind === 'object-unproven')
        ? nothing(
            'person',
            'The newest checkpoint has another content, but it may be older than this object. Mend the checkpoints first, or run export with the signing key, then run repair again',
          )
        : await plannedFor(key, ofKey, { ...options, damaged });
    yield { key, findings: ofKey, seen: sightings.of(key), ...planned };
  }
}

async function plannedFor(
  key: string,
  findings: readonly Finding[],
  options: PlanOptions & WantedOptions,
): Promise<Planned> {
  const strongest = byStrength.find((remedy) => findings.some(({ kind }) => remedies[kind] === remedy));
  switch (strongest) {
    case 'restore':
      return await restoring(key, findings, options);
    case 'hide': {
      const what = key.startsWith(creationDatesPrefix)
        ? 'a delete marker hides this cache, and the next run makes it anew from the parts'
        : 'it belongs to no run, and a delete marker hides it; its version stays';
      return hiding(options, what);
    }
    case 'reset':
      return key.startsWith(watermarksPrefix)
        ? {
            action: { kind: 'reset' },
            advice: 'it is emptied, and the next run reads everything that AWS still keeps',
          }
        : nothing('person', remedyOf(findings));
    case 'run':
      return nothing('next-run', remedyOf(findings));
    default:
      return nothing('person', remedyOf(findings));
  }
}

async function restoring(
  key: string,
  findings: readonly Finding[],
  options: PlanOptions & WantedOptions,
): Promise<Planned> {
  const wanted = await wantedOf(key, findings, options);
  if (wanted === null) {
    // Nothing names an object of this key, so none belongs there.
    return findings.some(({ kind }) => kind === 'part-misplaced')
      ? hiding(options, 'no run has written this object, and a delete marker hides it; its version stays')
      : nothing('person', remedyOf(findings));
  }
  const unread: UnreadContent[] = [];
  for (const source of options.sources) {
    const { found: content, unread: own } = await source.find(wanted, options.signal);
    unread.push(...own);
    if (content === null) continue;
    const what = wanted.sha256 === null ? 'the content that the program wrote' : `SHA-256 ${wanted.sha256}`;
    return { action: { kind: 'restore', content }, advice: `${what} is in ${content.from}` };
  }
  const [first] = unread;
  return first === undefined ? withoutContent(key, findings, options) : unreadable(first, unread.length - 1);
}

/** Something may have the content. So the object is neither lost nor to be hidden. */
function unreadable({ from, why }: UnreadContent, others: number): Planned {
  const more = others === 0 ? '' : `, and in ${others} more that cannot be read either`;
  return nothing(
    'person',
    `what this object was may be in ${from}${more}: ${why}. Make it readable, then run repair again`,
  );
}

/** Nobody has the content any more. */
function withoutContent(key: string, findings: readonly Finding[], options: PlanOptions): Planned {
  const [, table, day] = /^(copy_jobs|copy_job_summaries)\/.*=(\d{4}-\d\d-\d\d)\//.exec(key) ?? [];
  if (day === undefined || (table !== 'copy_jobs' && table !== 'copy_job_summaries')) {
    return nothing('lost', 'no version of the bucket and no backup has what this object was');
  }
  const days = memoryDays[table];
  if (Date.parse(day) < options.now - days * 86_400_000) {
    return nothing(
      'lost',
      `no version of the bucket and no backup has what this object was, and AWS has deleted ${table === 'copy_jobs' ? 'the jobs' : 'the counts'} of ${day}. Keep the object as it is: its rows may be the only ones`,
    );
  }
  const again = `export --since all reads ${day} again, because AWS keeps ${table === 'copy_jobs' ? 'jobs' : 'counts'} for about ${days} days`;
  if (findings.some(({ kind }) => kind === 'part-missing')) return nothing('read-again', again);
  const hidden = hiding(
    options,
    `no version has what this object was. A delete marker hides it, then ${again}`,
  );
  return hidden.action.kind === 'hide'
    ? hidden
    : nothing('read-again', `Move the object out of the lake, then ${again}`);
}

function hiding({ keepsDeleted }: PlanOptions, advice: string): Planned {
  if (keepsDeleted) return { action: { kind: 'hide' }, advice };
  return nothing('person', 'Move it out of the lake: without versioning, a deletion could not be undone');
}

function nothing(
  outcome: Extract<Step['action'], { readonly kind: 'none' }>['outcome'],
  advice: string,
): Planned {
  return { action: { kind: 'none', outcome }, advice: advice.replace(/\.$/, '') };
}

function remedyOf(findings: readonly Finding[]): string {
  return findings[0]?.remedy ?? '';
}
