import { describe, expect, it } from 'vitest';
import {
  msUntilOpen,
  openPublishGate,
  PublishGate,
  type PublishGateOptions,
} from '../../src/lake/publish-window.ts';
import { coverageOf } from '../../src/ledger/coverage.ts';
import { DeadlineReached, Interrupted, PublishWindowClosed } from '../../src/shared/abort.ts';
import { UnavailableError } from '../../src/shared/errors.ts';

const minute = 60_000;
const hour = 60 * minute;
const at = (text: string) => Date.parse(`2026-11-20T${text}Z`);
const night = { fromMs: hour, toMs: 4 * hour };
const overMidnight = { fromMs: 23 * hour, toMs: 2 * hour };

describe('a publish window', () => {
  it.each([
    [night, '00:59:59.999', 1],
    [night, '01:00:00.000', 0],
    [night, '03:59:59.999', 0],
    [night, '04:00:00.000', 21 * hour],
    [overMidnight, '22:00:00.000', hour],
    [overMidnight, '23:00:00.000', 0],
    [overMidnight, '00:00:00.000', 0],
    [overMidnight, '01:59:59.999', 0],
    [overMidnight, '02:00:00.000', 21 * hour],
  ])('%o, at %s, opens in %d ms', (window, time, expected) => {
    expect(msUntilOpen(window, at(time))).toBe(expected);
  });
});

describe('the gate before a part', () => {
  const gateOf = (change: Partial<PublishGateOptions> = {}) =>
    ({
      window: night,
      now: () => at('02:00:00'),
      deadline: at('03:00:00'),
      stopping: new AbortController().signal,
      publishing: new AbortController().signal,
      onWait: () => undefined,
      ...change,
    }) satisfies PublishGateOptions;
  const failure = (gate: PublishGate) =>
    gate.pass().then(
      () => null,
      (error: unknown) => error,
    );

  it('lets through within the window, and always where there is none, also when the run is to end', async () => {
    const stopping = AbortSignal.abort();
    await new PublishGate(gateOf({ stopping })).pass();
    await new PublishGate(gateOf({ window: null, now: () => at('12:00:00'), stopping })).pass();
  });

  it('waits for a window that opens before the deadline, and tells of it once', async () => {
    const told: number[] = [];
    let now = at('00:59:59.990');
    const gate = new PublishGate(
      gateOf({
        onWait: (ms) => told.push(ms),
        now: () => {
          now += 5;
          return now;
        },
      }),
    );
    await gate.pass();
    await gate.pass();
    expect(now).toBeGreaterThanOrEqual(at('01:00:00'));
    expect(told).toHaveLength(1);
  });

  it('does not wait for a window that opens after the deadline', async () => {
    const error = await failure(
      new PublishGate(gateOf({ now: () => at('04:00:00'), deadline: at('05:00:00') })),
    );
    expect(error).toBeInstanceOf(PublishWindowClosed);
    expect(String(error)).toContain('01:00-04:00 UTC');
  });

  it('ends the wait at once when the run is told to end, or its deadline comes', async () => {
    const now = () => at('00:30:00');
    const [stopping, publishing] = [new AbortController(), new AbortController()];
    const waits = [
      failure(new PublishGate(gateOf({ now, stopping: stopping.signal }))),
      failure(new PublishGate(gateOf({ now, publishing: publishing.signal }))),
    ];
    stopping.abort();
    publishing.abort(new DeadlineReached());
    expect(await waits[0]).toBeInstanceOf(Interrupted);
    expect(await waits[1]).toBeInstanceOf(DeadlineReached);
  });

  it('is not opened for a run that ends before the window opens: time heals it, and nothing is read', () => {
    const late = gateOf({ now: () => at('05:00:00'), deadline: at('07:00:00') });
    expect(() => openPublishGate(late)).toThrow(UnavailableError);
    expect(() => openPublishGate(late)).toThrow('2026-11-21T01:00:00.000Z');
    expect(() => openPublishGate(gateOf({ now: () => at('00:00:00') }))).not.toThrow();
  });

  it('makes a target TIMED_OUT whose rows it did not let through, so that the next run reads them', () => {
    const target = { accountId: '111122223333', accountName: null, region: 'us-east-1' };
    const planned = { table: 'copy_jobs', target, window: { from: null, to: 1 }, coveredTo: null } as never;
    const report = {
      status: 'OK',
      pages: 1,
      records: 1,
      retries: 0,
      firstRequestId: null,
      lastRequestId: null,
      durationMs: 1,
      errorName: null,
      errorMessage: null,
    };
    const drained = {
      ...(planned as object),
      report,
      rows: 1,
      rejected: 0,
      rejectedFor: null,
      unknownFields: new Set(),
      openDays: new Set(),
    } as never;
    const unpublished = new Map([
      ['copy_jobs/111122223333/us-east-1', new PublishWindowClosed('01:00-04:00 UTC')],
    ]);
    expect(coverageOf(planned, drained, unpublished, null)).toMatchObject({
      status: 'TIMED_OUT',
      report: { errorName: 'PublishWindowClosed' },
    });
  });
});
