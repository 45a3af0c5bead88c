/** Reads a scripted AWS with a Source, and gathers what is handed on. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import pino, { type Logger } from 'pino';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { createSource, type SourceOptions } from '../../src/source/backup.ts';
import type { Drain, DrainReport, Page, Source, Window } from '../../src/source/source.ts';
import { parsedRecord } from '../../src/tables/listed-record.ts';
import type { Target } from '../../src/targets/target.ts';
import { type Asked, type Reply, type ScriptedAws, startScriptedAws } from './scripted-aws.ts';

export const hour = 3_600_000;
export const day = 24 * hour;
/** As-of in these tests. */
export const to = Date.parse('2026-11-21T02:00:00Z');
export const everything: Window = { from: null, to };

export interface Bench {
  readonly server: ScriptedAws;
  readonly aws: Aws;
  readonly source: Source;
  readonly target: Target;
  readonly pages: Page[];
  readonly restarts: () => number;
  /** Ids of the copy jobs of the last pass, in order. */
  readonly ids: () => string[];
  readJobs(window?: Window, signal?: AbortSignal): Promise<DrainReport>;
  readSummaries(signal?: AbortSignal): Promise<DrainReport>;
  close(): Promise<void>;
}

export const staticCredentials: AwsCredentialIdentityProvider = async () => ({
  accessKeyId: 'AKIASTATIC',
  secretAccessKey: 'secret',
});

export interface BenchOptions extends Partial<Omit<SourceOptions, 'aws'>> {
  readonly credentials?: AwsCredentialIdentityProvider;
  readonly region?: string;
  readonly maxSockets?: number;
  readonly onPage?: (page: Page) => Promise<void>;
  readonly log?: Logger;
}

export async function startBench(
  script: (asked: Asked) => Reply | Promise<Reply>,
  options: BenchOptions = {},
): Promise<Bench> {
  const {
    credentials = staticCredentials,
    region = 'eu-west-1',
    maxSockets = 16,
    onPage,
    ...sourceOptions
  } = options;
  const server = await startScriptedAws(script);
  const aws = createAws({ endpointUrl: server.endpoint, maxSockets });
  const source = createSource({
    aws,
    homeRegion: 'us-east-1',
    requestsPerSecond: 1000,
    targetTimeoutMs: 20_000,
    memoryDays: 35,
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    timing: { firstDelayMs: 2, longestDelayMs: 20, requestTimeoutMs: 5_000 },
    ...sourceOptions,
  });
  const target = { accountId: '444455556666', region, accountName: null, regionNamed: false, credentials };
  const pages: Page[] = [];
  const takeAll = async (drain: Drain): Promise<DrainReport> => {
    for await (const page of drain) {
      await onPage?.(page);
      const { observedAt, requestId, repaired, more, pass } = page;
      // The page frees the bytes of its own records.
      const records = page.records.map(({ value }) => parsedRecord(value));
      pages.push({ records, observedAt, requestId, repaired, more, pass, drop: () => undefined });
    }
    return drain.report();
  };
  const lastPass = () => Math.max(1, ...pages.map(({ pass }) => pass));
  const running = new AbortController().signal;
  return {
    server,
    aws,
    source,
    target,
    pages,
    restarts: () => lastPass() - 1,
    ids: () =>
      pages
        .filter(({ pass }) => pass === lastPass())
        .flatMap(({ records }) => records.map((record) => String(record.field('CopyJobId')))),
    readJobs: (window = everything, signal = running) => takeAll(source.copyJobs(target, window, signal)),
    readSummaries: (signal = running) => takeAll(source.copyJobSummaries(target, 'ONE_DAY', signal)),
    close: async () => {
      source.close();
      aws.close();
      await server.close();
    },
  };
}

/** A copy job as on the wire, created so long before `to`. */
export function job(id: string, agoMs: number, more: object = {}): object {
  return { CopyJobId: id, CreationDate: (to - agoMs) / 1000, State: 'COMPLETED', ...more };
}

export function page(jobs: readonly object[], token?: string): Reply {
  return { body: { CopyJobs: jobs, ...(token === undefined ? {} : { NextToken: token }) } };
}

export interface ListRules {
  readonly pageSize: number;
  /** Whether the time filters include their bounds. */
  readonly inclusive: boolean;
  /** Whether children are listed without being asked for. */
  readonly childrenListed: boolean;
}

/** Answers ListCopyJobs from these jobs as AWS might: filters, pages, newest first. */
export function listing(jobs: readonly object[], rules: ListRules): (asked: Asked) => Reply {
  const value = (one: object, field: string): unknown => Reflect.get(one, field);
  return ({ query }) => {
    const after = Date.parse(query.get('createdAfter') ?? '');
    const before = Date.parse(query.get('createdBefore') ?? '');
    const parent = query.get('parentJobId');
    const found = jobs
      .filter((one) => {
        const created = Number(value(one, 'CreationDate')) * 1000;
        if (created < after || created > before) return false;
        if (!rules.inclusive && (created === after || created === before)) return false;
        if (parent !== null) return value(one, 'ParentJobId') === parent;
        return rules.childrenListed || value(one, 'ParentJobId') === undefined;
      })
      .sort((a, b) => Number(value(b, 'CreationDate')) - Number(value(a, 'CreationDate')));
    const start = Number(query.get('nextToken') ?? 0);
    const end = start + rules.pageSize;
    return page(found.slice(start, end), end < found.length ? String(end) : undefined);
  };
}
