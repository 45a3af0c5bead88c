/** Copies that failed or hang, found by hand. */
import { copiesReadThrough } from './drains.ts';
import { explanationOf } from './explanations.ts';
import {
  type Answer,
  type Copy,
  distinct,
  earliest,
  type Facts,
  groups,
  hasEnded,
  hour,
  isGood,
  latest,
  since,
  sorted,
  spanIn,
} from './facts.ts';

export function failedCopies({ now, leaves }: Facts, days: number): Answer[] {
  const good = leaves.filter(isGood);
  const rows = since(now, days, leaves)
    .filter((copy) => copy.state === 'FAILED')
    .map((failed) => {
      const later = good.filter(
        (copy) =>
          copy.resource !== null && copy.resource === failed.resource && copy.created > failed.created,
      );
      const vault = vaultOf(failed);
      const intoItsVault = later.filter((copy) => vault !== null && vaultOf(copy) === vault);
      const repaired = earliest(intoItsVault.map((copy) => copy.ended));
      return {
        creation_time: failed.created,
        account_id: failed.account,
        region: failed.region,
        ...resourceOf(failed),
        ...destinationOf(failed),
        message_category: failed.category,
        status_message: failed.told('status_message'),
        ...explanationIn(failed),
        plan_name: failed.told('created_by_backup_plan_name'),
        rule_name: failed.told('created_by_backup_rule_name'),
        repaired_time: repaired,
        repair_hours: spanIn(hour, failed.created, repaired),
        next_success_time: earliest(later.map((copy) => copy.ended)),
        completion_time: failed.ended,
        copy_job_id: failed.id,
      };
    });
  return sorted(rows, { creation_time: 'down', copy_job_id: 'up' });
}

const explanationIn = (copy: Copy) => {
  const { failure_category, cause, remedy } = explanationOf(copy);
  return { failure_category, cause, remedy };
};

export function explainedFailures({ leaves }: Facts): Answer[] {
  return leaves
    .filter((copy) => copy.state === 'FAILED')
    .map((copy) => ({
      copy_job_id: copy.id,
      message_category: copy.category,
      status_message: copy.told('status_message'),
      ...explanationOf(copy),
      creation_date: copy.day,
    }));
}

export function failuresByCategory({ now, leaves }: Facts, days: number): Answer[] {
  const failed = since(now, days, leaves)
    .filter((copy) => copy.state === 'FAILED')
    .map((copy) => ({ copy, ...explanationOf(copy) }));
  const kind = ({ failure_category, cause, remedy, copy }: (typeof failed)[number]) => [
    failure_category,
    copy.type,
    cause,
    remedy,
  ];
  const rows = groups(failed, kind).map(({ first, members }) => ({
    message_category: first.failure_category,
    resource_type: first.copy.type,
    cause: first.cause,
    remedy: first.remedy,
    failed: members.length,
    categorized_by_aws: members.filter(({ category_from }) => category_from === 'AWS').length,
    accounts: distinct(members.map(({ copy }) => copy.account)),
    resources: distinct(members.map(({ copy }) => copy.resource)),
    first_failed_time: earliest(members.map(({ copy }) => copy.created)),
    last_failed_time: latest(members.map(({ copy }) => copy.created)),
  }));
  return sorted(rows, {
    failed: 'down',
    message_category: 'up',
    resource_type: 'up',
    cause: 'up',
    remedy: 'up',
  });
}

export function stuckCopies(facts: Facts, hours: number, days: number): Answer[] {
  const { now, leaves } = facts;
  const readThrough = copiesReadThrough(facts);
  const rows = since(now, days, leaves)
    .filter((copy) => !hasEnded(copy) && now - copy.created > hours * hour)
    .map((copy) => ({
      creation_time: copy.created,
      age_hours: spanIn(hour, copy.created, now),
      ...readThrough(copy),
      state: copy.state,
      account_id: copy.account,
      region: copy.region,
      ...resourceOf(copy),
      backup_size_in_bytes: copy.bytes,
      ...destinationOf(copy),
      status_message: copy.told('status_message'),
      parent_job_id: copy.parent,
      copy_job_id: copy.id,
    }));
  return sorted(rows, { creation_time: 'up', copy_job_id: 'up' });
}

export function resourceHistory({ now, leaves }: Facts, resource: string, days: number): Answer[] {
  const literally = resource.split('%').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const like = new RegExp(`^${literally.join('.*')}$`, 'su');
  const wanted = (arn: string | null) => arn !== null && like.test(arn);
  const rows = since(now, days, leaves)
    .filter((copy) => wanted(copy.resource))
    .map((copy) => ({
      creation_time: copy.created,
      state: copy.state,
      ...resourceOf(copy),
      account_id: copy.account,
      ...destinationOf(copy),
      destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
      hours_taken: spanIn(hour, copy.created, copy.ended),
      expires_time: isGood(copy) ? copy.expires : null,
      backup_size_in_bytes: copy.bytes,
      message_category: copy.category,
      status_message: copy.told('status_message'),
      plan_name: copy.told('created_by_backup_plan_name'),
      rule_name: copy.told('created_by_backup_rule_name'),
      copy_job_id: copy.id,
    }));
  return sorted(rows, { creation_time: 'down', copy_job_id: 'up' });
}

const resourceOf = (copy: Copy) => ({
  resource_type: copy.type,
  resource_name: copy.name,
  resource_arn: copy.resource,
});

const vaultOf = (copy: Copy) => copy.told('destination_backup_vault_arn');

const destinationOf = (copy: Copy) => ({
  destination_account_id: copy.to.account,
  destination_region: copy.to.region,
  destination_backup_vault_arn: vaultOf(copy),
});
