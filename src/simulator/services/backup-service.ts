/** AWS Backup: ListCopyJobs and ListCopyJobSummaries (REST with JSON). */

import type { Estate, Site } from '../estate.ts';
import type { JobFilter, Jobs, Position } from '../jobs.ts';
import { type Answer, jsonAnswer, ServiceError } from '../responses.ts';
import type { SentPages } from '../sent-pages.ts';
import { ClockError, parseInstant } from '../simulated-clock.ts';
import { lakeRole, organizationRole } from '../simulated-organization.ts';
import { filterCounts, type Period, periods, type Summaries, slicesAt } from '../summaries.ts';
import type { PageToken, Tokens, TokenVariant } from '../tokens.ts';
import { moveDates, spoilBody, spoilRecords } from './backup-faults.ts';
import type { Call, Service } from './service-call.ts';

const jobStates = ['CREATED', 'RUNNING', 'COMPLETED', 'FAILED', 'PARTIAL'];
const summaryStates = [...jobStates, 'ABORTING', 'ABORTED', 'COMPLETING', 'FAILING', 'AGGREGATE_ALL', 'ANY'];

export function backupService(
  estate: Estate,
  jobs: Jobs,
  summaries: Summaries,
  tokens: Tokens,
  sent: SentPages,
): Service {
  return (call) => {
    const site = siteOf(estate, call);
    const parameters = new Parameters(call.request.query);
    if (call.api === 'ListCopyJobs') return listCopyJobs(site, call, parameters, jobs, tokens, sent);
    return listCopyJobSummaries(site, call, parameters, estate, summaries, tokens);
  };
}

function siteOf(estate: Estate, { identity, region, api }: Call): Site {
  const site = estate.site(identity.accountId, region);
  if (site === null) {
    throw new ServiceError(
      403,
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  if (identity.role === organizationRole || identity.role === lakeRole) {
    throw denied(identity.arn, api);
  }
  return site;
}

export function denied(arn: string, api: string): ServiceError {
  return new ServiceError(
    403,
    'AccessDeniedException',
    `User: ${arn} is not authorized to perform: backup:${api} because no identity-based policy allows the backup:${api} action`,
  );
}

function listCopyJobs(
  site: Site,
  call: Call,
  parameters: Parameters,
  jobs: Jobs,
  tokens: Tokens,
  sent: SentPages,
): Answer {
  const filter = withoutUndefined({
    resourceArn: parameters.text('resourceArn'),
    state: parameters.oneOf('state', jobStates),
    createdAfter: parameters.instant('createdAfter'),
    createdBefore: parameters.instant('createdBefore'),
    resourceType: parameters.matching('resourceType', /^[a-zA-Z0-9\-_.]{1,50}$/),
    destinationVaultArn: parameters.text('destinationVaultArn'),
    accountId: parameters.matching('accountId', /^(\d{12}|\*)$/),
    completeAfter: parameters.instant('completeAfter'),
    completeBefore: parameters.instant('completeBefore'),
    parentJobId: parameters.text('parentJobId'),
    messageCategory: parameters.text('messageCategory'),
    sourceRecoveryPointArn: parameters.text('sourceRecoveryPointArn'),
  });
  const max = parameters.integer('maxResults', 1, 1000) ?? 1000;
  const purpose = `ListCopyJobs ${site.index} ${JSON.stringify(filter)}`;
  const tokenText = parameters.text('nextToken');
  const token = openToken(tokens, purpose, tokenText);
  const request = `${purpose} ${max} ${call.now} ${tokenText ?? ''}`;
  const same = call.faults.length === 0 ? sent.find(request) : null;
  if (same !== null) return { ...jsonAnswer('rest-json', null), body: same };
  const [day, source, slot, member] = token?.place ?? [];
  const from: Position | null =
    day === undefined || source === undefined || slot === undefined || member === undefined
      ? null
      : { day, source, slot, member };
  const page = jobs.page(site, call.now, filter, from, max);
  const next =
    page.next === null ? null : [page.next.day, page.next.source, page.next.slot, page.next.member];
  const first = page.records[0] === undefined ? null : (token?.place ?? []);
  const answer = listing(call, 'CopyJobs', page.records, {}, tokens, purpose, token, next, first);
  if (call.faults.length === 0) sent.keep(request, answer.body);
  return answer;
}

function listCopyJobSummaries(
  site: Site,
  call: Call,
  parameters: Parameters,
  estate: Estate,
  summaries: Summaries,
  tokens: Tokens,
): Answer {
  const accountId = parameters.matching('AccountId', /^(\d{12}|ANY|AGGREGATE_ALL)$/) ?? site.account.id;
  // AWS does not document what an omitted filter means; here it adds values up.
  const state = parameters.oneOf('State', summaryStates) ?? 'AGGREGATE_ALL';
  const resourceType = parameters.matching('ResourceType', /^[a-zA-Z0-9\-_.]{1,50}$/) ?? 'AGGREGATE_ALL';
  const messageCategory = parameters.text('MessageCategory') ?? 'AGGREGATE_ALL';
  const period = parameters.oneOf('AggregationPeriod', periods) ?? 'ONE_DAY';
  // The model allows 1000, the documentation 500 (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html).
  const max = parameters.integer('MaxResults', 1, 500) ?? 500;
  const filter = { state, resourceType, messageCategory, aggregateAccounts: accountId === 'AGGREGATE_ALL' };
  const purpose = `ListCopyJobSummaries ${site.index} ${accountId} ${period} ${JSON.stringify(filter)}`;
  const token = openToken(tokens, purpose, parameters.text('NextToken'));
  const [offset = 0, asOf = call.now] = token?.place ?? [];
  // The list of counts changes when the clock moves.
  if (asOf !== call.now) throw badToken();
  const sites = summarySites(estate, site, accountId);
  const found = filterCounts(countsOf(summaries, sites, period, call.now), filter);
  const records = found.slice(offset, offset + max);
  const next = offset + max < found.length ? [offset + max, call.now] : null;
  const first = records.length === 0 ? null : [offset, call.now];
  return listing(
    call,
    'CopyJobSummaries',
    records,
    { AggregationPeriod: period },
    tokens,
    purpose,
    token,
    next,
    first,
  );
}

function* countsOf(summaries: Summaries, sites: readonly Site[], period: Period, now: number) {
  for (const site of sites) {
    for (const slice of slicesAt(period, now)) yield* summaries.counts(site, slice, now);
  }
}

/** Only the management account may read other accounts; every other account gets its own counts in any case. */
function summarySites(estate: Estate, site: Site, accountId: string): readonly Site[] {
  if (site.accountIndex !== 0) return [site];
  return estate.sites.filter(
    (other) =>
      other.region === site.region &&
      (accountId === 'ANY' || accountId === 'AGGREGATE_ALL' || accountId === other.account.id),
  );
}

/** The response for a page, with the call's faults applied. */
function listing(
  call: Call,
  field: 'CopyJobs' | 'CopyJobSummaries',
  records: readonly object[],
  rest: object,
  tokens: Tokens,
  purpose: string,
  token: PageToken | null,
  next: readonly number[] | null,
  here: readonly number[] | null,
): Answer {
  const kinds = new Set(call.faults.map((fault) => fault.kind));
  if (kinds.has('expire-token') && token !== null) throw badToken();
  let shown = records;
  let nextToken = next === null ? undefined : tokens.seal(purpose, next);
  if (kinds.has('empty-page-with-token') && here !== null && token?.variant !== 1) {
    shown = [];
    nextToken = tokens.seal(purpose, here, 1);
  }
  if (kinds.has('repeat-token')) nextToken = tokens.seal(purpose, token?.place ?? next ?? here ?? [], 2);
  if (kinds.has('token-cycle')) {
    const variant: TokenVariant = token?.variant === 1 ? 2 : 1;
    nextToken = tokens.seal(purpose, token?.place ?? next ?? here ?? [], variant);
  }
  if (kinds.has('cut-short')) shown = shown.slice(0, Math.floor(shown.length / 2));
  if (kinds.has('served-empty')) shown = [];
  if (kinds.has('cut-short') || kinds.has('served-empty')) nextToken = undefined;
  const movedMs = call.faults.reduce((sum, { kind, ms }) => sum + (kind === 'moved-date' ? (ms ?? 0) : 0), 0);
  const body = { [field]: spoilRecords(moveDates(shown, movedMs), kinds), ...rest, NextToken: nextToken };
  return { ...jsonAnswer('rest-json', null), body: spoilBody(JSON.stringify(body), kinds) };
}

function openToken(tokens: Tokens, purpose: string, text: string | undefined): PageToken | null {
  if (text === undefined) return null;
  const token = tokens.open(purpose, text);
  if (token === null) throw badToken();
  return token;
}

function badToken(): ServiceError {
  return invalid('Invalid next token: it has expired, or belongs to another request.');
}

function invalid(message: string): ServiceError {
  return new ServiceError(400, 'InvalidParameterValueException', message);
}

/** The query's parameters, checked as AWS checks them. */
class Parameters {
  readonly #query: Call['request']['query'];

  constructor(query: Call['request']['query']) {
    this.#query = query;
  }

  text(name: string): string | undefined {
    const value = this.#query[name];
    if (Array.isArray(value)) throw invalid(`Parameter ${name} is given more than once.`);
    return value === '' ? undefined : value;
  }

  matching(name: string, pattern: RegExp): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !pattern.test(value)) {
      throw invalid(`Value "${value}" of parameter ${name} does not match ${pattern.source}.`);
    }
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = values.find((one) => one === value);
    if (found === undefined) {
      throw invalid(`Value "${value}" of parameter ${name} is not one of ${values.join(', ')}.`);
    }
    return found;
  }

  integer(name: string, lowest: number, highest: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= lowest && number <= highest)) {
      throw invalid(`Value "${value}" of parameter ${name} must be between ${lowest} and ${highest}.`);
    }
    return number;
  }

  instant(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    try {
      return parseInstant(value);
    } catch (error) {
      if (error instanceof ClockError) throw invalid(`Parameter ${name}: ${error.message}.`);
      throw error;
    }
  }
}

function withoutUndefined(filter: { [K in keyof JobFilter]: JobFilter[K] | undefined }): JobFilter {
  // Safe: the same properties, without the undefined ones.
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as JobFilter;
}
