import { ListCopyJobsCommand } from '@aws-sdk/client-backup';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultKinds } from '../../src/simulator/faults.ts';
import { DAY, parseInstant, parseSpan } from '../../src/simulator/simulated-clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientsOf, drainJobs } from './clients.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 60 });
});
afterEach(() => simulator.stop());

interface ControlBody {
  readonly message?: string;
  readonly total?: number;
  readonly counts?: unknown;
  readonly recent?: readonly unknown[];
}

async function control(method: string, path: string, body?: unknown) {
  const response = await fetch(`${simulator.endpoint}/_simulator/${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  // Safe: these are the members of all answers; each test asks for those of its own.
  const parsed = (await response.json()) as ControlBody;
  return { status: response.status, date: response.headers.get('date'), body: parsed };
}

describe('the clock', () => {
  it('stands still, in whole seconds, and is what the Date header says', async () => {
    const moved = await control('POST', 'clock', { now: '2026-11-20T05:06:07.891+01:00' });
    expect(moved).toMatchObject({ status: 200, body: { now: '2026-11-20T04:06:07.000Z' } });
    const later = await control('GET', 'clock');
    expect(later.body).toEqual(moved.body);
    expect(later.date).toBe('Fri, 20 Nov 2026 04:06:07 GMT');
    const { backup } = clientsOf(simulator);
    let date: unknown;
    backup.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        // Safe: at this step the response is an HTTP response with headers.
        date = (result.response as { headers: Record<string, string> }).headers.date;
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
    await backup.send(new ListCopyJobsCommand({ MaxResults: 1 }));
    expect(date).toBe('Fri, 20 Nov 2026 04:06:07 GMT');
  });

  it('goes forward by spans, never backwards', async () => {
    const start = simulator.now();
    expect((await control('POST', 'clock', { advance: '1d' })).status).toBe(200);
    expect(simulator.now()).toBe(start + DAY);
    const back = await control('POST', 'clock', { now: '2026-11-20T02:00:00Z' });
    expect(back).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('cannot go back') },
    });
    expect(simulator.now()).toBe(start + DAY);
  });

  it.each([{}, { advance: '1w' }, { now: 'tomorrow' }, { now: '2026-11-20T02:00:00' }, 'no JSON'])(
    'is not moved by %j',
    async (body) => {
      const start = simulator.now();
      expect((await control('POST', 'clock', body)).status).toBe(400);
      expect(simulator.now()).toBe(start);
    },
  );

  it('moves jobs on: those that ran have ended, those that end do not change again', async () => {
    const { id } = simulator.organization.management;
    const before = (await drainJobs(simulator, id, 'us-east-1')).records;
    const running = before.filter(({ State }) => State === 'RUNNING' || State === 'CREATED');
    expect(running.length).toBeGreaterThan(0);
    await simulator.advance(8 * DAY);
    const after = (await drainJobs(simulator, id, 'us-east-1')).records;
    const memoryEnds = simulator.now() - 30 * DAY;
    expect(after.every(({ CreationDate }) => Number(CreationDate) * 1000 > memoryEnds)).toBe(true);
    const byId = new Map(after.map((record) => [record.CopyJobId, record]));
    const ended = running.filter(({ CopyJobId }) => byId.get(CopyJobId)?.CompletionDate !== undefined);
    expect(ended.length).toBeGreaterThan(0);
    const done = before.filter(({ CompletionDate }) => CompletionDate !== undefined);
    const kept = done.filter(({ CopyJobId }) => byId.has(CopyJobId));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(done.length);
    for (const record of kept) expect(byId.get(record.CopyJobId)).toEqual(record);
    const gone = before.filter(({ CopyJobId }) => !byId.has(CopyJobId));
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.every(({ CreationDate }) => Number(CreationDate) * 1000 <= simulator.now() - 30 * DAY)).toBe(
      true,
    );
  });

  it('knows days, hours, minutes and seconds, and instants with a zone', () => {
    expect(['1d', '2h', '3m', '4s', '1.5h'].map(parseSpan)).toEqual([
      86_400_000, 7_200_000, 180_000, 4000, 5_400_000,
    ]);
    expect(parseInstant('2026-11-20')).toBe(Date.UTC(2026, 10, 20));
    expect(parseInstant('2026-11-20T02:00:00.5Z')).toBe(Date.UTC(2026, 10, 20, 2, 0, 0, 500));
  });
});

describe('the list of faults', () => {
  it('is added to, shown and cleared', async () => {
    await control('POST', 'faults', [{ kind: 'hang', region: 'eu-west-1' }]);
    const both = await control('POST', 'faults', [{ kind: 'deny', count: 3 }]);
    expect(both.body).toEqual([
      { kind: 'hang', region: 'eu-west-1', met: 0 },
      { kind: 'deny', count: 3, met: 0 },
    ]);
    expect((await control('DELETE', 'faults')).body).toEqual([]);
    expect((await control('GET', 'faults')).body).toEqual([]);
  });

  it('refuses what it does not know, and says what it knows', async () => {
    const unknown = await control('POST', 'faults', [{ kind: 'meteor' }]);
    expect(unknown.status).toBe(400);
    for (const kind of Object.keys(faultKinds)) expect(unknown.body.message).toContain(kind);
    for (const bad of [
      { kind: 'deny' },
      [{}],
      [7],
      [{ kind: 'deny', acount: 'x' }],
      [{ kind: 'toString' }],
      [{ kind: 'deny', count: '1' }],
    ]) {
      expect((await control('POST', 'faults', bad)).status).toBe(400);
    }
    expect((await control('GET', 'faults')).body).toEqual([]);
  });
});

describe('the log of requests', () => {
  it('counts them and shows the last ones', async () => {
    const { id } = simulator.organization.management;
    await drainJobs(simulator, id, 'eu-west-1', { ByState: 'FAILED' });
    simulator.addFaults([{ kind: 'deny', count: 1 }]);
    await expect(drainJobs(simulator, id, 'eu-west-1')).rejects.toThrow();
    const { body } = await control('GET', 'requests');
    expect(body.total).toBe(2);
    expect(body.counts).toEqual([
      { api: 'ListCopyJobs', status: 200, error: null, count: 1 },
      { api: 'ListCopyJobs', status: 403, error: 'AccessDeniedException', count: 1 },
    ]);
    expect(body.recent?.[0]).toEqual({
      api: 'ListCopyJobs',
      account: id,
      region: 'eu-west-1',
      status: 200,
      error: null,
      parameters: { state: 'FAILED' },
    });
  });

  it('does not know other paths', async () => {
    expect((await control('GET', 'nothing')).status).toBe(404);
    expect((await control('PUT', 'clock', {})).status).toBe(404);
  });
});
