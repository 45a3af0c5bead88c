/** The metrics of real runs: as CloudWatch's embedded metric format has them, and as the run's own summary says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emfLines } from '../../../src/telemetry/metrics/emf.ts';
import { endMetrics } from '../../../src/telemetry/metrics/run-metrics.ts';
import type { RunSummary } from '../../../src/telemetry/run-summary.ts';
import { type Lab, openLab } from '../../support/lab.ts';

/** Of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const schema = JSON.parse(await readFile(join(import.meta.dirname, 'emf-schema.json'), 'utf8'));
// The schema's examples and $id members are AWS's own.
const isEmf = new Ajv({ strict: false }).compile(schema);

interface Document {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

/** Checked as CloudWatch does it: by the schema, and every metric and dimension that is named has a value. */
function emfIn(stderr: string): readonly Document[] {
  const lines = stderr.split('\n').filter((line) => line.includes('"_aws"'));
  return lines.map((line) => {
    // Safe: the schema is checked right here.
    const document = JSON.parse(line) as Document;
    expect(isEmf(document), JSON.stringify(isEmf.errors)).toBe(true);
    for (const { Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
      for (const name of Dimensions.flat()) expect(document[name]).toMatch(/^[\x20-\x7e]+$/);
      for (const { Name } of Metrics) expect(Number.isFinite(document[Name]), Name).toBe(true);
    }
    return document;
  });
}

/** Writes the URL of every module that is loaded into the file of LOADED_MODULES. */
const listing = ['--import', join(import.meta.dirname, 'list-modules.ts')];

let lab: Lab;
let plain: { summary: RunSummary; stderr: string; modules: string };
let measured: { summary: RunSummary; stderr: string; modules: string; documents: readonly Document[] };

async function exported(flags: Readonly<Record<string, string>>) {
  const file = join(lab.folder, `modules-${Object.keys(flags).length}`);
  process.env.LOADED_MODULES = file;
  try {
    const { code, stdout, stderr } = await lab.start(flags, listing).ended;
    expect({ code, stderr }).toMatchObject({ code: 77 });
    return { summary: JSON.parse(stdout) as RunSummary, stderr, modules: await readFile(file, 'utf8') };
  } finally {
    delete process.env.LOADED_MODULES;
  }
}

beforeAll(async () => {
  lab = await openLab({ accounts: 2, days: 1 });
  lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobs', account: lab.member(0) }]);
  plain = await exported({});
  const emf = await exported({ metrics: 'emf' });
  measured = { ...emf, documents: emfIn(emf.stderr) };
}, 120_000);
afterAll(() => lab?.close());

describe('--metrics emf', () => {
  // Neither jobs nor counts: what was read when is the same, and no part is written.
  let empty: Lab;
  beforeAll(async () => {
    empty = await openLab({ accounts: 2, regions: 1, days: 1, jobsPerDay: 0 });
  });
  afterAll(() => empty?.close());

  it('writes lines to stderr that pass the published schema, and leaves the result on stdout alone', () => {
    expect(measured.documents.length).toBeGreaterThan(5);
    for (const { _aws, Lake, run_id, shard } of measured.documents) {
      expect(_aws.CloudWatchMetrics.map(({ Namespace }) => Namespace)).toEqual(['BackupCopyExport']);
      expect(shard).toBeUndefined();
      expect({ Lake, run_id }).toEqual({ Lake: lab.lake, run_id: measured.summary.run_id });
      const ended = Date.parse(measured.summary.as_of) + measured.summary.duration_ms;
      expect(_aws.Timestamp).toBe(ended);
    }
  });

  it('says what the summary says', () => {
    const { summary, documents } = measured;
    const [run] = documents;
    expect(run).toMatchObject({
      Runs: 1,
      FailedRuns: 1,
      ExitCode: 77,
      Targets: summary.targets,
      TargetsFailed: 2,
      TargetsNeedingPerson: 2,
      LostIntervals: 0,
      HoursToDataLoss: 0,
      Pages: summary.reading.pages,
      Rows: summary.reading.rows,
      RowsAdded: summary.tables.copy_jobs?.added,
      RunDuration: summary.duration_ms,
      Throttles: 0,
    });
    expect(summary.reading.pages).toBeGreaterThanOrEqual(summary.targets);
    const byStatus = documents.flatMap((one) => (one.Status === undefined ? [] : [[one.Status, one.Drains]]));
    expect(Object.fromEntries(byStatus)).toEqual(summary.coverage);
    const byPhase = documents.flatMap((one) =>
      one.Phase === undefined ? [] : [[one.Phase, one.PhaseDuration]],
    );
    expect(Object.fromEntries(byPhase)).toEqual(summary.phases_ms);
  });

  it('counts the hours until the first loss from what was read before', async () => {
    const well = await empty.run();
    // Counts are kept for 14 days, jobs for longer.
    expect(well.hours_to_data_loss).toBe(14 * 24);
    empty.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobSummaries', account: empty.member(0) }]);
    await empty.simulator.advance(24 * 3_600_000);
    expect((await empty.run()).hours_to_data_loss).toBe(13 * 24);
  });

  it('counts the same hours as status, while the clock runs down and when it is up', async () => {
    empty.simulator.clearFaults();
    await empty.run();
    empty.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobSummaries', account: empty.member(0) }]);
    const said: (number | null)[] = [];
    for (const hours of [5, 72, 200, 60]) {
      await empty.simulator.advance(hours * 3_600_000);
      const run = await empty.run();
      const report = await empty.status();
      // The metric goes on below zero: for how long AWS has been deleting.
      expect(Math.max(0, run.hours_to_data_loss ?? Number.NaN)).toBe(report.hours_to_loss);
      said.push(report.hours_to_loss);
    }
    expect(said).toEqual([14 * 24 - 5, 14 * 24 - 77, 14 * 24 - 277, 0]);
  });

  it('tells of a run that could not begin', () => {
    const context = { lake: 's3://bucket/größe\n', runId: null, shard: null, timestamp: 1.5 };
    const [document] = emfIn(emfLines(endMetrics(74), context).join('\n'));
    expect(document).toMatchObject({ Runs: 1, FailedRuns: 1, ExitCode: 74, Lake: 's3://bucket/gr??e?' });
  });

  it('names the shard in each line, and in no dimension', async () => {
    const flags = { metrics: 'emf', shard: '1/2', 'signing-key': '/no/such/key.pem' };
    const documents = emfIn((await lab.start(flags).ended).stderr);
    expect(documents).toMatchObject([{ shard: '1/2', Runs: 1 }]);
    expect(documents[0]?._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['Lake']]);
  });

  it('tells of a run whose key cannot be read, which ends before it asks AWS', async () => {
    const { code, stderr } = await lab.start({ metrics: 'emf', 'signing-key': '/no/such/key.pem' }).ended;
    expect(code).toBe(64);
    expect(emfIn(stderr)).toMatchObject([{ Runs: 1, FailedRuns: 1, ExitCode: 64 }]);
  });
});

describe('every metric', () => {
  const root = join(import.meta.dirname, '../../..');
  const namesIn = (documents: readonly Document[]) =>
    new Set(
      documents.flatMap(({ _aws }) => _aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name) ?? []),
    );
  it('is in docs/metrics.md, and no other', async () => {
    const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');
    const table = page.split('\n').filter((line) => /^\| `[A-Z]/.test(line));
    const names = table.flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(names.sort()).toEqual([...namesIn(measured.documents)].sort());
  });
  it('of an alarm is one of a run, and its alarm is in docs/metrics.md', async () => {
    const alarms = await readFile(join(root, 'deploy/alarms.yaml'), 'utf8');
    const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');
    const watched = alarms.split('AWS::CloudWatch::Alarm').slice(1);
    expect(watched.length).toBeGreaterThan(7);
    for (const one of watched) {
      const [, alarm = ''] = /AlarmName: !Sub \S+\}-(\S+)\n/.exec(one) ?? [];
      const metrics = [...one.matchAll(/MetricName: (\w+)/g)].map(([, name = '']) => name);
      expect(metrics.length).toBeGreaterThan(0);
      for (const name of metrics) expect(namesIn(measured.documents)).toContain(name);
      expect(page).toMatch(new RegExp(`\\| \`${metrics[0]}\` .*\\| \`${alarm}\`: `));
    }
  });
});

describe('what is loaded', () => {
  const modules = /metrics\/(emf|run-metrics|opentelemetry)\.ts|@opentelemetry/;
  it('is nothing for metrics in a run that nobody measures', () => {
    expect(plain.modules).toContain('src/export/export.ts');
    expect(plain.modules.split('\n').filter((url) => modules.test(url))).toEqual([]);
    expect(plain.stderr).not.toContain('"_aws"');
  });
  it('is the format, and not OpenTelemetry, with --metrics emf', () => {
    expect(measured.modules).toContain('metrics/emf.ts');
    expect(measured.modules).not.toContain('opentelemetry');
  });
});
