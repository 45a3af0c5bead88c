/** What a run holds open from its beginning to its end, and how it is closed again. */
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { LocalKeys } from '../checkpoints/signing.ts';
import type { Settings } from '../config/settings.ts';
import type { Engine } from '../lake/engines/engine.ts';
import { loadEngine } from '../lake/engines/open-engine.ts';
import { openPublishGate, type PublishGate } from '../lake/publish-window.ts';
import { openScratch, type Scratch } from '../lake/scratch.ts';
import { PageThread } from '../page-thread/page-thread.ts';
import { begunAtOnce } from '../shared/begun-at-once.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { type Planning, type Prepared, prepare } from './prepare.ts';
import type { StartedRun } from './start-run.ts';
import type { StopSignals } from './stop-signals.ts';

/** Small merges at once: one for each processor, but a third would not finish sooner than its memory is worth. */
export const mergesAtOnce = Math.min(2, availableParallelism());

const hasSecondProcessor = availableParallelism() > 1;

/** A run whose targets are not all known yet. */
export interface OpenRun {
  readonly settings: Settings;
  readonly io: JobIo;
  readonly log: Logger;
  readonly stops: StopSignals;
  readonly planning: Prepared;
  /** The plan in the making: see `discoverPlan`. Its first accounts are asked for while the engine starts. */
  readonly discovery: ReturnType<Prepared['discover']>;
  readonly scratch: Scratch;
  readonly engine: Engine;
  readonly gate: PublishGate;
  /** Null: there is one processor. */
  readonly pageThread: PageThread | null;
  readonly signing: LocalKeys;
  /** `performance.now()` at the beginning. */
  readonly started: number;
}

export interface Run extends OpenRun {
  readonly planning: Planning;
}

/**
 * Prepares a run, gives it to `work`, and closes it whatever comes of that.
 * @throws ReportedError (src/shared/errors.ts) when it cannot be prepared; what `work` rejects with
 */
export async function withOpenRun<Result>(
  settings: Settings,
  io: JobIo,
  start: StartedRun,
  work: (run: OpenRun) => Promise<Result>,
): Promise<Result> {
  try {
    return await withPrepared(settings, io, start, work);
  } finally {
    io.progress.stop();
    start.stops.dispose();
  }
}

async function withPrepared<Result>(
  settings: Settings,
  io: JobIo,
  { started, stops, asked }: StartedRun,
  work: (run: OpenRun) => Promise<Result>,
): Promise<Result> {
  // Its packages are loaded while the responses are on their way.
  const loading = loadEngine(settings.engine);
  // Whoever waits for it gets the error.
  loading.catch(() => undefined);
  const { signing, ...requests } = await asked;
  const planning = await prepare(settings, { ...io, mode: 'write', draining: stops.draining }, requests);
  const log = io.log.child({ run_id: planning.runId });
  const discovery = begunAtOnce(planning.discover());
  try {
    const gate = openPublishGate({
      window: settings.publishWindow,
      now: planning.now,
      deadline: planning.now() + settings.deadlineMs - (performance.now() - started),
      stopping: io.stopping,
      publishing: stops.publishing,
      onWait: (ms) => {
        log.info({ opens_in_s: Math.ceil(ms / 1000) }, 'rows are staged until the publish window opens');
        io.progress.phase('waiting for the publish window');
      },
    });
    const scratch = await openScratch({
      parent: settings.scratch,
      runId: planning.runId,
      limitBytes: settings.scratchLimitBytes,
      log,
      whenFull: 'Raise --scratch-limit, or publish more often with a smaller --publish-every.',
    });
    try {
      const openEngine = await loading;
      const engine = await openEngine({
        memoryLimitBytes: settings.memoryLimitBytes,
        scratch: await scratch.subfolder('engine'),
        claim: () => scratch.claim(),
        mergesAtOnce,
      });
      const pageThread = hasSecondProcessor ? new PageThread({ log }) : null;
      try {
        return await work({
          settings,
          io,
          log,
          stops,
          planning,
          discovery,
          scratch,
          engine,
          gate,
          pageThread,
          signing,
          started,
        });
      } finally {
        await pageThread?.close();
        await engine.close();
      }
    } finally {
      await scratch.remove();
    }
  } finally {
    await planning.close();
  }
}
