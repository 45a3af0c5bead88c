/** A local simulator of the AWS APIs that the export reads. */

import pLimit from 'p-limit';
import { Credentials } from './access-keys.ts';
import { answerAws } from './aws-requests.ts';
import { answerControl } from './control.ts';
import { Estate } from './estate.ts';
import { type FaultInput, Faults, parseFaults } from './faults.ts';
import { Jobs } from './jobs.ts';
import { regionStatuses } from './region-statuses.ts';
import { RequestLog, type RequestSummary } from './request-log.ts';
import { SentPages } from './sent-pages.ts';
import { listen } from './server.ts';
import { accountService } from './services/account-service.ts';
import { backupService } from './services/backup-service.ts';
import { ec2Service } from './services/ec2-service.ts';
import { organizationsService } from './services/organizations-service.ts';
import { stsService } from './services/sts-service.ts';
import { Clock } from './simulated-clock.ts';
import { type Organization, readerRole } from './simulated-organization.ts';
import { defaultOptions, type SimulatorOptions } from './simulator-options.ts';
import { Summaries } from './summaries.ts';
import { Tokens } from './tokens.ts';
import { Truth, type TruthLine } from './truth.ts';
import { TruthFile } from './truth-file.ts';

export interface Simulator {
  readonly endpoint: string;
  /** The environment variables that a client needs; none of them redirects S3. */
  readonly env: Readonly<Record<string, string>>;
  readonly organization: Organization;
  /** Names of the enabled regions. */
  readonly regions: readonly string[];
  /** The name of the role that every member account has. */
  readonly roleName: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Moves the clock forward; resolves when the truth file, if any, is written. */
  setClock(epochMs: number): Promise<void>;
  advance(ms: number): Promise<void>;
  addFaults(faults: readonly FaultInput[]): void;
  clearFaults(): void;
  /** The faults there are, and how many requests each has met. */
  faults(): readonly (FaultInput & { readonly met: number })[];
  requests(): RequestSummary;
  /** One line for each record that a complete drain has returned or would have returned; see src/simulator/truth.ts. */
  truth(): AsyncGenerator<TruthLine>;
  /** The same, as JSON lines in a file. */
  writeTruth(file: string): Promise<void>;
  /** Stops at once and cuts off open requests. */
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1. Rejects if the port is in use or the truth file cannot be written. */
export async function startSimulator(given: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const options: SimulatorOptions = { ...defaultOptions, ...given };
  const realNow = () => Date.now();
  const clock = new Clock(options.now);
  const estate = new Estate(options);
  const { organization } = estate;
  const jobs = new Jobs(estate, {
    start: clock.start,
    days: options.days,
    children: options.children,
    listInDestination: options.listInDestination,
  });
  const summaries = new Summaries(estate, jobs);
  const truth = new Truth(estate, jobs, summaries, clock, options.listInDestination);
  const truthFile = options.truthFile === null ? null : new TruthFile(options.truthFile, truth);
  const credentials = new Credentials(options.seed, organization.management.id);
  const tokens = new Tokens(options.seed);
  const faults = new Faults(options.seed, parseFaults(options.faults), realNow);
  const log = new RequestLog();
  const statuses = regionStatuses(estate.regions);
  const services = {
    backup: backupService(estate, jobs, summaries, tokens, new SentPages(options.keepPagesBytes)),
    sts: stsService(organization, credentials, options.externalId, realNow),
    organizations: organizationsService(organization, tokens),
    account: accountService(organization, statuses, tokens),
    ec2: ec2Service(statuses),
  };

  // One move at a time, so that the truth file is written before the next one.
  const oneAtATime = pLimit(1);
  const move = (to: () => number): Promise<void> =>
    oneAtATime(async () => {
      clock.moveTo(to());
      await truthFile?.write();
    });
  const setClock = (epochMs: number) => move(() => epochMs);
  const advance = (ms: number) => move(() => clock.now + ms);
  const now = () => clock.now;

  await truthFile?.write();
  const parts = { clock, credentials, faults, log, services, realNow };
  const controls = { faults, log, now, setClock, advance };
  const server = await listen({
    port: options.port,
    latencyMs: options.latencyMs,
    now,
    aws: (request, requestId) => answerAws(parts, request, requestId),
    control: (method, path, body) => answerControl(controls, method, path, body),
  });
  const regions = estate.regions.map((region) => region.name);
  return {
    endpoint: server.endpoint,
    env: environment(server.endpoint, credentials, regions[0] ?? ''),
    organization,
    regions,
    roleName: readerRole,
    now,
    setClock,
    advance,
    addFaults: (more) => faults.add(parseFaults(more)),
    clearFaults: () => faults.clear(),
    faults: () => faults.list(),
    requests: () => log.summary(),
    truth: async function* () {
      yield* truth.lines();
    },
    writeTruth: (file) => new TruthFile(file, truth).write(),
    stop: async () => {
      await server.close();
      await oneAtATime(async () => undefined);
    },
  };
}

function environment(endpoint: string, credentials: Credentials, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_BACKUP: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_ORGANIZATIONS: endpoint,
    AWS_ENDPOINT_URL_ACCOUNT: endpoint,
    AWS_ENDPOINT_URL_EC2: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    // botocore, and so boto3 and the AWS CLI 1, reads no AWS_REGION (botocore/configprovider.py).
    AWS_DEFAULT_REGION: region,
  };
}
