/** How large a run is: an estimate from what `plan` asked AWS. docs/scale.md has the arithmetic and where its figures come from. */
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import type { DrainedTable } from '../tables/table.ts';
import type { RunSize } from '../telemetry/run-summary.ts';

/** What was asked about one drain that can be read. */
export interface AskedDrain {
  readonly table: DrainedTable;
  /** How many requests the whole drain takes. */
  readonly requests: number;
  /** How many records it lists. */
  readonly records: number;
  /** How long the window of creation times is; 0: the table has none. */
  readonly windowDays: number;
  /** UTC days before the window of jobs that may have ended since. */
  readonly earlierDays: readonly string[];
}

/** What a run waits for AWS, in minutes. */
export interface WaitingMinutes {
  /** All requests, as many at once as the concurrency allows. */
  readonly all: number;
  /** The target that takes longest. More shards do not help it. */
  readonly longest: number;
}

export interface RunSizeOptions {
  /** How many accounts are read: each takes one AssumeRole. */
  readonly accounts: number;
  readonly waiting: WaitingMinutes;
  readonly memoryDays: number;
  /** Of the counts. */
  readonly periods: readonly AggregationPeriod[];
  /** The lake's bucket count. */
  readonly buckets: number;
  /** How many shards share the night: this run is one of them. */
  readonly shards: number;
}

/** AWS's counts cover as many days (ListCopyJobSummaries' API reference, AggregationPeriod: up to FOURTEEN_DAYS). */
const countedDays = 14;

/** Measured with the simulator: bench/README.md, “Memory” and “What `plan` says”. */
const measured = {
  startSeconds: 1,
  cpuSecondsPerRequest: 0.004,
  cpuSecondsPerJob: 0.00004,
  bytesPerJob: 125,
  bytesPerCount: 15,
  baseBytes: 550e6,
  bytesPerRememberedJob: 4,
  bytesPerJobOfOneDay: 60,
} as const;

/** A part of more bytes is read in several requests: docs/running.md, “What queries see while a run writes”. */
const partBytes = 3e6;

/** What one container should not exceed: an hour, and 1 GiB with some room. */
const containerMinutes = 60;
const containerBytes = 900e6;

/** The most buckets that a lake has. */
const mostBuckets = 1024;

/**
 * US dollars in us-east-1, without discounts: aws.amazon.com/s3/pricing (S3 Standard), aws.amazon.com/athena/pricing.
 * A query of Athena is charged for at least 10 MB.
 */
const price = {
  put: 5e-6,
  get: 4e-7,
  gigabyteMonth: 0.023,
  scannedTerabyte: 5,
  leastScanned: 10e6,
} as const;

export function runSize(drains: readonly AskedDrain[], options: RunSizeOptions): RunSize {
  const { accounts, waiting, memoryDays, periods, buckets, shards } = options;
  const lists = drains.filter(({ table }) => table === 'copy_jobs');
  const daysOf = ({ windowDays }: AskedDrain) => Math.min(windowDays, memoryDays);
  const jobs = sum(lists.map(({ records }) => records));
  const counts = sum(drains.filter(({ table }) => table !== 'copy_jobs').map(({ records }) => records));
  const jobsPerDay = sum(lists.map((drain) => drain.records / Math.max(1, daysOf(drain))));
  const requests = sum(drains.map((drain) => drain.requests));

  const ownBuckets = Math.ceil(buckets / shards);
  const windowDays =
    jobs === 0 ? 0 : Math.ceil(lists.reduce((most, drain) => Math.max(most, daysOf(drain)), 0)) + 1;
  const earlierDays = new Set(lists.flatMap((drain) => drain.earlierDays)).size;
  const countParts = sum(periods.map((period) => (period === 'ONE_DAY' ? countedDays : 1)));
  const parts =
    Math.min(windowDays * ownBuckets, jobs) +
    earlierDays * ownBuckets +
    Math.min(countParts * ownBuckets, counts);
  const parquetBytes = jobs * measured.bytesPerJob + counts * measured.bytesPerCount;

  const cpuSeconds =
    measured.startSeconds +
    (requests + accounts) * measured.cpuSecondsPerRequest +
    jobs * measured.cpuSecondsPerJob;
  const bytesForJobs =
    jobsPerDay * (2 * memoryDays * measured.bytesPerRememberedJob + measured.bytesPerJobOfOneDay);
  // A part: its digests and itself are read and written. A bucket: the creation dates of its jobs, and the watermarks.
  const [gets, puts] = [2 * parts + 2 * ownBuckets + 10, 2 * parts + 2 * ownBuckets + 10];

  const shareableMinutes = Math.max(waiting.all, cpuSeconds / 60);
  const forTime = Math.ceil((shareableMinutes * shards) / containerMinutes);
  const forMemory = Math.ceil((bytesForJobs * shards) / (containerBytes - measured.baseBytes));
  const containers = Math.max(1, forTime, forMemory);
  const largestPartBytes = (jobsPerDay * measured.bytesPerJob) / ownBuckets;
  const wantedBuckets = Math.ceil((jobsPerDay * shards * measured.bytesPerJob) / partBytes);
  return {
    jobs,
    counts,
    parts,
    parquet_bytes: Math.round(parquetBytes),
    largest_part_bytes: Math.round(largestPartBytes),
    minutes: round(Math.max(waiting.longest, shareableMinutes)),
    cpu_minutes: round(cpuSeconds / 60),
    memory_bytes: round(measured.baseBytes + bytesForJobs),
    s3_reads: gets,
    s3_writes: puts,
    suggested_shards: Math.min(containers, mostBuckets),
    suggested_buckets: Math.min(Math.max(containers, wantedBuckets, 1), mostBuckets),
    us_dollars: {
      s3_requests: round(gets * price.get + puts * price.put),
      s3_storage_per_month: round((parquetBytes / 1e9) * price.gigabyteMonth),
      athena_question: round((Math.max(parquetBytes, price.leastScanned) / 1e12) * price.scannedTerabyte),
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** To three significant digits: it is an estimate. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
