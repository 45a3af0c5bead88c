import { describe, expect, it } from 'vitest';
import { DrainQueue } from '../../src/export/drain-queue.ts';
import type { Planned } from '../../src/ledger/planned.ts';

/** `eu 1` is account 1 in region eu. */
function planned(place: string, coveredTo: number | null = null): Planned {
  const [region = '', accountId = ''] = place.split(' ');
  const credentials = () => Promise.reject(new Error('nobody asks'));
  return {
    table: 'copy_jobs',
    target: { accountId, region, accountName: null, regionNamed: false, credentials },
    window: { from: null, to: 100 },
    coveredTo,
  };
}

function parseTableKey(one: Planned | undefined): string | null {
  return one === undefined ? null : `${one.target.region} ${one.target.accountId}`;
}

/** Everything that is left, in the order of its coming. */
function rest(queue: DrainQueue): readonly (string | null)[] {
  const places: (string | null)[] = [];
  for (let one = queue.next(); one !== undefined; one = queue.next()) places.push(parseTableKey(one));
  return places;
}

const mixed = ['eu 1', 'us 1', 'eu 2', 'us 2', 'eu 3', 'us 3', 'eu 4', 'us 4', 'eu 5', 'us 5'];
const queueOf = (places: readonly string[]) => new DrainQueue(places.map((place) => planned(place)));

describe('the queue of drains', () => {
  it('gives first what was never read, then what was read longest ago, and else keeps the order', () => {
    const queue = new DrainQueue([
      planned('eu 1', 30),
      planned('eu 2', 10),
      planned('eu 3'),
      planned('eu 4', 30),
      planned('eu 5', 10),
      planned('eu 6'),
    ]);
    expect(rest(queue)).toEqual(['eu 3', 'eu 6', 'eu 2', 'eu 5', 'eu 1', 'eu 4']);
  });

  it('gives copy jobs before counts that were read as far, also if they are added later', () => {
    const counts = (place: string, coveredTo: number | null): Planned => ({
      ...planned(place, coveredTo),
      table: 'copy_job_summaries',
    });
    const queue = new DrainQueue();
    queue.add([planned('eu 1', 10), counts('eu 2', 10), counts('eu 3', null)]);
    expect(parseTableKey(queue.next())).toBe('eu 3');
    queue.add([planned('eu 4', 10), counts('eu 5', 10), planned('eu 6', 20)]);
    queue.complete();
    expect(rest(queue)).toEqual(['eu 1', 'eu 4', 'eu 2', 'eu 5', 'eu 6']);
  });

  it('lets others go first while a drain would wait for STS, and gives it out when none is left', () => {
    const counts = (place: string): Planned => ({ ...planned(place), table: 'copy_job_summaries' });
    const answered = new Set(['1']);
    const queue = new DrainQueue(
      [planned('eu 1'), planned('eu 2'), planned('eu 3'), planned('us 2'), counts('eu 1'), counts('eu 2')],
      ({ target }) => answered.has(target.accountId),
    );
    const next = () => {
      const one = queue.next();
      return `${one?.table === 'copy_jobs' ? 'jobs' : 'counts'} ${parseTableKey(one)}`;
    };
    expect([next(), next(), next()]).toEqual(['jobs eu 1', 'counts eu 1', 'jobs eu 2']);
    answered.add('3');
    expect(next()).toBe('jobs eu 3');
    answered.add('2');
    expect([next(), next(), queue.next()]).toEqual(['jobs us 2', 'counts eu 2', undefined]);
  });

  it('lets a drain that waits for STS be passed over 64 times, not for ever', () => {
    const places = Array.from({ length: 100 }, (_, at) => `eu ${at}`);
    const counts = places.map((place): Planned => ({ ...planned(place), table: 'copy_job_summaries' }));
    const queue = new DrainQueue(
      [planned('us 1'), planned('us 2'), ...counts],
      ({ target }) => target.region === 'eu',
    );
    const tables = Array.from({ length: 70 }, () => queue.next()?.table);
    expect(tables.indexOf('copy_jobs')).toBe(64);
    expect(tables.lastIndexOf('copy_jobs')).toBe(64);
    expect(rest(queue)).toHaveLength(32);
  });

  it('puts what is left of a region behind all others after three drains of it without a page', () => {
    const queue = queueOf(mixed);
    const taken = Array.from({ length: 4 }, () => parseTableKey(queue.next()));
    expect(taken).toEqual(mixed.slice(0, 4));
    expect(queue.ended('eu', 'TIMED_OUT')).toBe(false);
    expect(queue.ended('eu', 'UNREACHABLE')).toBe(false);
    expect(parseTableKey(queue.next())).toBe('eu 3');
    expect(queue.ended('eu', 'TIMED_OUT')).toBe(true);
    expect(rest(queue)).toEqual(['us 3', 'us 4', 'us 5', 'eu 4', 'eu 5']);
  });

  it('says once, not at every further drain, that a region was put behind', () => {
    const queue = queueOf(mixed);
    const said = Array.from({ length: 5 }, () => queue.ended('eu', 'TIMED_OUT'));
    expect(said).toEqual([false, false, true, false, false]);
  });

  it('leaves a region where one page came, before or after the silence, among the others', () => {
    const before = queueOf(mixed);
    before.answered('eu');
    for (let turn = 0; turn < 5; turn++) expect(before.ended('eu', 'TIMED_OUT')).toBe(false);
    expect(rest(before)).toEqual(mixed);

    const after = queueOf(mixed);
    for (let turn = 0; turn < 3; turn++) after.ended('eu', 'TIMED_OUT');
    expect(parseTableKey(after.next())).toBe('us 1');
    after.answered('eu');
    expect(rest(after)).toEqual([...mixed.slice(2), 'eu 1']);
  });

  it('takes no refusal for silence: whoever is refused has been answered', () => {
    const queue = queueOf(mixed);
    for (const status of ['ACCESS_DENIED', 'REGION_DISABLED', 'THROTTLED', 'FAILED', 'OK'] as const) {
      for (let turn = 0; turn < 3; turn++) expect(queue.ended('eu', status)).toBe(false);
    }
    expect(rest(queue)).toEqual(mixed);
  });

  it('gives everything out once, also where no region answers', () => {
    const queue = queueOf(mixed);
    const first = parseTableKey(queue.next());
    for (const region of ['eu', 'us']) for (let turn = 0; turn < 3; turn++) queue.ended(region, 'TIMED_OUT');
    expect([first, ...rest(queue)]).toEqual(mixed);
    expect(queue.next()).toBeUndefined();
  });
});
