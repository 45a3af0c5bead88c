/** Copies and drains made by hand: each tells a question that is answered rightly from one that only looks so. */
import type { Question } from '../../../src/questions/questions.ts';
import type { Row } from '../../../src/tables/table.ts';
import { day, hour } from './facts.ts';

const home = '111111111111';
const central = '444444444444';
const vault = (account: string, region: string, name: string) =>
  `arn:aws:backup:${region}:${account}:backup-vault:${name}`;
const volume = (name: string) => `arn:aws:ec2:us-east-1:${home}:volume/${name}`;
const table = (name: string) => `arn:aws:dynamodb:us-east-1:${home}:table/${name}`;

const atHome = vault(home, 'us-east-1', 'home');
const inCentral = vault(central, 'us-east-1', 'central');
const inAirGap = vault(central, 'us-east-1', 'airgap');

/** By a plan, from the resource's account to another, a day ago, to be kept for a year, unless said otherwise. */
function copy(resource: string, told: Row = {}): Row {
  return {
    account_id: home,
    region: 'us-east-1',
    resource_arn: resource,
    resource_type: 'EBS',
    source_backup_vault_arn: atHome,
    destination_backup_vault_arn: inCentral,
    state: 'COMPLETED',
    age: day,
    length: hour,
    created_by_backup_job_id: 'by a plan',
    ...keptFor(365),
    ...told,
  };
}
function keptFor(days: number | null): Row {
  return { destination_recovery_point_lifecycle_delete_after_days: days };
}
/** A copy of a rule: */
function onTime(name: string, told: Row): readonly Row[] {
  return [copy(volume(name), { created_by_backup_plan_id: 'schedules', ...told })];
}
const hop = { account_id: central, source_backup_vault_arn: inCentral, created_by_backup_job_id: null };
const onDemand = { created_by_backup_job_id: null };
const backup = (name: string) => `arn:aws:backup:us-east-1:${home}:recovery-point:${name}`;
const of = (name: string) => ({ source_recovery_point_arn: backup(name) });
const makes = (name: string) => ({ destination_recovery_point_arn: backup(name) });
const inWest = vault(home, 'us-west-2', 'away');
const window = 176 * hour;

/** `age` and `length` in milliseconds, as {@link writeOddLake} takes them. */
export const tellingCopies: readonly Row[] = [
  // Copied on: the youngest copy leaves neither account nor region, and the resource is still elsewhere.
  copy(volume('chained'), { age: 5 * hour }),
  copy(volume('chained'), { ...hop, age: 3 * hour, destination_backup_vault_arn: inAirGap }),
  // Copied back: it leaves an account, and comes home.
  copy(volume('copied back'), { age: 3 * day }),
  copy(volume('copied back'), { ...hop, age: 2 * hour, destination_backup_vault_arn: atHome }),
  // Copied on long after, of a resource whose ARN tells no place.
  copy('arn:aws:s3:::chained', { age: 45 * day }),
  copy('arn:aws:s3:::chained', { ...hop, age: hour, destination_backup_vault_arn: inAirGap }),
  // Only ever copied by somebody else's account, at home.
  copy(volume('foreign'), { account_id: central, destination_backup_vault_arn: atHome }),
  // The lifecycle has deleted the last copy; or the youngest of two, or deletes it at this very instant, or never.
  copy(volume('expired'), { age: 10 * day, ...keptFor(7) }),
  copy(volume('kept by the month'), { age: 20 * day, ...keptFor(365) }),
  copy(volume('kept by the month'), { age: 5 * day, ...keptFor(3) }),
  copy(volume('expires now'), { age: 7 * day, ...keptFor(7) }),
  copy(volume('never expires'), { age: 30 * day, ...keptFor(-1) }),
  copy(volume('not told'), keptFor(null)),
  copy(volume('no days'), keptFor(0)),
  // Not known to end, or made on demand; and an older one that surely exists.
  copy(volume('kept beside unknown'), { age: 4 * day, ...keptFor(365) }),
  copy(volume('kept beside unknown'), { age: 2 * day, ...keptFor(-1) }),
  copy(volume('kept beside unknown'), { ...onDemand, ...keptFor(365) }),
  // On demand: the source may be of any age.
  copy(volume('on demand'), { ...onDemand, ...keptFor(365) }),
  // On demand, of what was copied long before: it dies with its first copy, at the latest.
  copy(volume('copied late'), { age: 40 * day, ...of('late'), destination_backup_vault_arn: inWest }),
  copy(volume('copied late'), { ...onDemand, ...of('late'), ...keptFor(39) }),
  copy(volume('copied late, kept'), { age: 40 * day, ...of('late 2'), destination_backup_vault_arn: inWest }),
  copy(volume('copied late, kept'), { ...onDemand, ...of('late 2'), ...keptFor(60) }),
  // A job that failed is a sign of its source, too.
  copy(volume('failed first'), { age: 40 * day, state: 'FAILED', ...of('failed first') }),
  copy(volume('failed first'), { ...onDemand, ...of('failed first'), ...keptFor(35) }),
  // Copies of copies are as old as the first source.
  copy(volume('hops'), {
    age: 40 * day,
    ...of('root'),
    ...makes('one'),
    destination_backup_vault_arn: inWest,
  }),
  copy(volume('hops'), {
    ...hop,
    age: 20 * day,
    ...of('one'),
    ...makes('two'),
    destination_backup_vault_arn: atHome,
  }),
  copy(volume('hops'), { ...onDemand, ...of('two'), ...keptFor(30) }),
  // A continuous recovery point has one ARN for all its copies; each is of its own day.
  copy(volume('continuous'), { age: 40 * day, ...of('continuous:v'), ...keptFor(35) }),
  copy(volume('continuous'), { ...of('continuous:v'), ...keptFor(35) }),
  // Weekly, and six days old; a day too late; by nobody's schedule; and weekly beside daily.
  ...onTime('weekly', { age: 6 * day, schedule_interval_ms: 7 * day, created_by_backup_rule_id: 'weekly' }),
  ...onTime('weekly, late', {
    age: 8 * day,
    schedule_interval_ms: 7 * day,
    created_by_backup_rule_id: 'weekly',
  }),
  ...onTime('weekly by hand', { age: 6 * day }),
  ...onTime('weekly and daily', {
    age: 6 * day,
    schedule_interval_ms: 7 * day,
    created_by_backup_rule_id: 'weekly',
  }),
  ...onTime('weekly and daily', {
    age: 5 * day,
    schedule_interval_ms: day,
    created_by_backup_rule_id: 'daily',
  }),
  // The daily rule is in use for others, and has not failed here; it was replaced by the weekly one elsewhere.
  ...onTime('daily', { age: hour, schedule_interval_ms: day, created_by_backup_rule_id: 'daily' }),
  ...onTime('once daily', { age: 9 * day, schedule_interval_ms: day, created_by_backup_rule_id: 'replaced' }),
  ...onTime('once daily', {
    age: 6 * day,
    schedule_interval_ms: 7 * day,
    created_by_backup_rule_id: 'weekly',
  }),
  // A start exactly at the limit of its grace; and a millisecond before it.
  ...onTime('at the grace', {
    age: 7 * day + 12 * hour,
    schedule_interval_ms: 7 * day,
    created_by_backup_rule_id: 'weekly',
  }),
  ...onTime('after the grace', {
    age: 7 * day + 12 * hour + 1,
    schedule_interval_ms: 7 * day,
    created_by_backup_rule_id: 'weekly',
  }),
  // Only failures: the rule's schedule is known, and there is no copy.
  ...onTime('always failed', {
    state: 'FAILED',
    schedule_interval_ms: day,
    created_by_backup_rule_id: 'daily',
  }),
  // Ends after an event.
  copy(volume('event'), { destination_recovery_point_lifecycle_delete_after_event: 'DELETE_AFTER_COPY' }),
  // Ends so soon that the backup may have taken the rest of its life; and a millisecond later.
  copy(volume('at the window'), { age: 10 * day - window, ...keptFor(10) }),
  copy(volume('after the window'), { age: 10 * day - window - 1, ...keptFor(10) }),
  copy(volume('kept for days'), keptFor(7)),
  // No copy at all was made; or only in part.
  copy(volume('never made'), { state: 'FAILED' }),
  copy(volume('in part'), { state: 'PARTIAL' }),
  // Failed into one vault, made into another of the same account and region.
  copy(volume('other vault'), { state: 'FAILED', age: 30 * hour }),
  copy(volume('other vault'), { age: 20 * hour, destination_backup_vault_arn: inAirGap }),
  // Names that differ where one has a sign that stands for any in LIKE, and the sign that takes this away.
  ...['user_orders', 'user-orders', 'user!orders', 'user!_orders'].map((name) => copy(table(name))),
  // A rule deleted long ago, and one that has tried in vain since.
  copy(volume('of old'), { created_by_backup_rule_id: 'gone', age: 200 * day }),
  copy(volume('of old'), { created_by_backup_rule_id: 'trying', age: 200 * day }),
  copy(volume('of old'), { created_by_backup_rule_id: 'trying', age: 2 * day, state: 'FAILED' }),
];

/**
 * Values to ask a question with: its numbers all the same, or each the one after that of the parameter before it; and
 * of resources all, one in full, and some with signs of LIKE's in them.
 */
export function valuesFor(
  { parameters }: Pick<Question, 'parameters'>,
  numbers: readonly string[],
): readonly Readonly<Record<string, string>>[] {
  const named = (type: string) => parameters.filter((one) => one.type === type).map(({ name }) => name);
  const steps = named('integer').length > 1 ? [0, 1] : [0];
  const resources = ['%', table('user_orders'), 'arn:%:table/user!%', table('user%_orders')];
  // A question without numbers has the same values for each of them.
  const firsts = named('integer').length === 0 ? [0] : [...numbers.keys()];
  return steps.flatMap((step) =>
    firsts.flatMap((first) => {
      const spans = named('integer').map((name, at) => [name, numbers[(first + step * at) % numbers.length]]);
      const texts = named('text').length === 0 ? [''] : resources;
      return texts.map((text) =>
        Object.fromEntries([...spans, ...named('text').map((name) => [name, text])]),
      );
    }),
  );
}

const drain = (account_id: string, age: number, status: string, from: number | null, to: number): Row => ({
  table_name: 'copy_jobs',
  account_id,
  region: 'us-east-1',
  status,
  age,
  window_from: from,
  window_to: to,
});

/** `age`, `window_from` and `window_to` in milliseconds before now. */
export const tellingDrains: readonly Row[] = [
  // Days of failures, then one drain of the last hour: nobody has seen the days between.
  drain(central, 9 * day, 'OK', null, 9 * day),
  drain(central, 3 * day, 'ACCESS_DENIED', 10 * day, 3 * day),
  drain(central, 0, 'OK_EMPTY', hour, 0),
  // One that touches what was read before, in windows that lie within another.
  drain('555555555555', 9 * day, 'OK', 20 * day, 9 * day),
  drain('555555555555', 4 * day, 'OK', 15 * day, 12 * day),
  drain('555555555555', day, 'OK', 9 * day, 2 * day),
  // Nothing was left to ask for: after a good drain, after a failure, and in the only run.
  drain('555555555556', 2 * day, 'OK', null, 2 * day),
  { ...drain('555555555556', day, 'SKIPPED', 2 * day, 2 * day), error_name: 'EmptyWindow' },
  drain('555555555557', 2 * day, 'ACCESS_DENIED', null, 2 * day),
  { ...drain('555555555557', day, 'SKIPPED', 2 * day, 2 * day), error_name: 'EmptyWindow' },
  { ...drain('555555555558', day, 'SKIPPED', 2 * day, 2 * day), error_name: 'EmptyWindow' },
  // A region that is not in use, never read and no failure.
  { ...drain('666666666666', 0, 'REGION_DISABLED', null, 0), error_name: 'Error' },
  // Fifty days without a drain: the next one only read what AWS still held. Later days were left out, some for good.
  drain('777777777777', 90 * day, 'OK', null, 90 * day),
  drain('777777777777', 40 * day, 'OK', null, 40 * day),
  drain('777777777777', 0, 'OK', day, 0),
  // Denied for longer than AWS remembers, and never read.
  drain('888888888888', 60 * day, 'ACCESS_DENIED', null, 60 * day),
  drain('888888888888', 0, 'ACCESS_DENIED', null, 0),
  // A region that was switched off for two months: nothing was copied while it was.
  drain('999999999999', 80 * day, 'OK', null, 80 * day),
  drain('999999999999', 79 * day, 'REGION_DISABLED', 81 * day, 79 * day),
  drain('999999999999', 20 * day, 'REGION_DISABLED', 81 * day, 20 * day),
  drain('999999999999', 10 * day, 'OK', null, 10 * day),
  // An account that left the organization: nobody was to read it any longer.
  drain('777777777779', 100 * day, 'OK', null, 100 * day),
  drain('777777777779', 99 * day, 'OK', null, 99 * day),
  // A run that was told how long AWS keeps jobs.
  { ...drain('777777777778', 70 * day, 'OK', null, 70 * day), remembered_from: 100 * day },
  { ...drain('777777777778', 10 * day, 'OK', null, 10 * day), remembered_from: 60 * day },
];
