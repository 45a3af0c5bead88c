import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, day, hour, job, page, startBench, to } from './reading.ts';
import type { Asked, Reply } from './scripted-aws.ts';

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

const from = to - day;
const ended = (id: string, createdAgo: number, endedAgo: number, more: object = {}) =>
  job(id, createdAgo, { CompletionDate: (to - endedAgo) / 1000, ...more });
const running = (id: string, createdAgo: number, more: object = {}) =>
  job(id, createdAgo, { State: 'RUNNING', ...more });

/** AWS as documented: all filters hold. */
function aws(jobs: readonly object[], children: 'listed' | 'hidden' = 'listed'): (asked: Asked) => Reply {
  return ({ query }) => {
    const time = (one: object, field: string) => Number(Reflect.get(one, field)) * 1000;
    const bound = (name: string) => Date.parse(query.get(name) ?? '');
    const parent = query.get('parentJobId');
    const state = query.get('state');
    return page(
      jobs.filter((one) => {
        const created = time(one, 'CreationDate');
        if (created < bound('createdAfter') || created >= bound('createdBefore')) return false;
        if (query.has('completeAfter') && !(time(one, 'CompletionDate') >= bound('completeAfter')))
          return false;
        if (state !== null && Reflect.get(one, 'State') !== state) return false;
        const its = Reflect.get(one, 'ParentJobId');
        return parent === null ? children === 'listed' || its === undefined : its === parent;
      }),
    );
  };
}

/** The ids that came, those of jobs from before the window, and what was asked for. */
async function read(script: (asked: Asked) => Reply, since = to - day) {
  bench = await startBench(script);
  const earlier: string[] = [];
  const ids: unknown[] = [];
  const drain = bench.source.copyJobs(bench.target, { from, to }, new AbortController().signal, {
    since,
    onEarlier: (id) => earlier.push(id),
  });
  for await (const { records } of drain) ids.push(...records.map((one) => one.field('CopyJobId')));
  const asked = bench.server.asked.map(
    ({ query }) => ['completeAfter', 'state', 'parentJobId'].find((name) => query.has(name)) ?? 'window',
  );
  return { status: drain.report().status, ids, earlier, asked };
}

const family = { ParentJobId: 'parent' };
const parent = { IsParent: true, NumberOfChildJobs: 2 };

describe('jobs from before the window', () => {
  it('come if they have ended since, and others do not', async () => {
    const found = await read(
      aws([
        job('new', hour),
        ended('ended', 5 * day, hour),
        ended('ended long ago', 5 * day, 3 * day),
        running('open', 20 * day),
        ended('child', 2 * hour, hour, family),
        running('parent', 3 * hour, parent),
      ]),
    );
    expect(found).toMatchObject({ status: 'OK', earlier: ['ended'] });
    expect(found.ids).toEqual(['new', 'child', 'parent', 'ended']);
    expect(found.asked).toEqual(['window', 'completeAfter', 'parentJobId']);
  });

  it('come with a parent that is still open, because it changes when a child ends', async () => {
    const found = await read(
      aws([
        ended('child', 5 * day, hour, family),
        running('other', 5 * day, family),
        running('parent', 5 * day, parent),
      ]),
    );
    expect(found.ids).toEqual(['child', 'other', 'parent']);
    expect(found.asked).toEqual(['window', 'completeAfter', 'state']);
  });

  it('come with the children of open parents, where AWS lists children only with their parents', async () => {
    const found = await read(
      aws([ended('child', 5 * day, hour, family), running('parent', 5 * day, parent)], 'hidden'),
    );
    expect(found.ids).toEqual(['parent', 'child']);
    expect(found.earlier.sort()).toEqual(['child', 'parent']);
  });

  it('come once and do no harm if AWS ignores the filters', async () => {
    const jobs = [
      job('new', hour),
      ended('ended', 5 * day, hour),
      running('open', 20 * day),
      job('later', -hour),
    ];
    const found = await read(() => page(jobs));
    expect(found.ids).toEqual(['new', 'ended', 'open']);
  });

  it('are not lost where their creation date cannot be read', async () => {
    const odd = { CopyJobId: 'odd', CreationDate: 'Friday', State: 'COMPLETED' };
    const found = await read(({ query }) => page(query.has('completeAfter') ? [odd] : []));
    expect(found.ids).toEqual(['odd']);
  });

  it('fail the whole drain if they cannot be read', async () => {
    const found = await read(({ query }) =>
      query.has('completeAfter')
        ? { status: 403, body: { message: 'no' }, headers: { 'x-amzn-errortype': 'AccessDeniedException' } }
        : page([job('new', hour)]),
    );
    expect(found.status).toBe('ACCESS_DENIED');
  });
});
