/** Organizations with something to answer for every question, and their lakes, made by the real export. */
import type { SimulatorOptions } from '../../../src/simulator/simulator-options.ts';
import { type Flags, type Lab, openLab } from '../lab.ts';
import { readTable } from '../lake-reader.ts';
import { looksIn, type Seen } from '../sightings.ts';
import { readTruth } from '../truth.ts';
import { type Facts, factsOf } from './facts.ts';

interface Story {
  readonly about: string;
  readonly options: Partial<SimulatorOptions>;
  readonly nights: number;
  /** Before each night but the first: what goes wrong then. */
  readonly before?: (lab: Lab, night: number) => void;
}

const dayMs = 24 * 3_600_000;

/**
 * Failures are of a kind that copy_jobs recover from, so that the lake holds the whole truth in the end: copies are
 * denied in the middle nights, counts to the last.
 */
export const stories: Readonly<Record<string, Story>> = {
  nights: {
    about: 'five nights; an account denied from the second to the fourth, its counts to the last',
    options: { accounts: 5, regions: 2, jobsPerDay: 9, days: 16, seed: 11 },
    nights: 5,
    before: (lab, night) => {
      if (night === 1) {
        lab.simulator.addFaults([
          { kind: 'deny', api: 'ListCopyJobs', account: lab.member(0), region: lab.region(0) },
          { kind: 'deny', api: 'ListCopyJobSummaries', account: lab.member(1) },
        ]);
      }
      if (night !== 4) return;
      lab.simulator.clearFaults();
      lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobSummaries', account: lab.member(1) }]);
    },
  },
  'listed twice': {
    about: 'cross-account copies listed in both accounts',
    options: { accounts: 4, regions: 3, jobsPerDay: 12, days: 9, seed: 23, listInDestination: true },
    nights: 2,
  },
  'hidden children': {
    about: 'children only listed when asked for by their parent',
    options: { accounts: 3, regions: 2, jobsPerDay: 40, days: 8, seed: 5, children: 'hidden' },
    nights: 2,
  },
};

/** The story played to its end. Close the lab when done. */
export async function play(
  story: Story,
  change: Flags = {},
): Promise<{ readonly lab: Lab; readonly facts: Facts }> {
  const lab = await openLab(story.options);
  try {
    const runs: Seen[] = [];
    const run = async (): Promise<void> => {
      const { run_id: runId, as_of: asOf } = await lab.run(change);
      const { copy_jobs: truth } = await readTruth(lab.truthFile);
      runs.push({ runId, asOf: Date.parse(asOf), truth });
    };
    await run();
    for (let night = 1; night < story.nights; night++) {
      await lab.simulator.advance(dayMs);
      story.before?.(lab, night);
      await run();
    }
    return { lab, facts: await factsIn(lab, runs) };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function factsIn(lab: Lab, runs: readonly Seen[]): Promise<Facts> {
  const coverage = await readTable(lab.lake, 'export_coverage');
  return factsOf(await readTruth(lab.truthFile), coverage, runs, undefined, looksIn(lab.lake));
}
