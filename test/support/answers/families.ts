/** Parents beside their children, matched by hand. */
import { type Answer, bytesOf, type Facts, hasEnded, isGood, since, sorted } from './facts.ts';

export function compositeCopies({ now, all }: Facts, days: number): Answer[] {
  // A child is created with its parent or after it; a day more is looked at.
  const possible = since(now, days + 1, all);
  const rows = since(now, days, all)
    .filter((copy) => copy.isParent)
    .map((parent) => {
      const children = possible.filter((copy) => copy.parent === parent.id);
      const said = parent.told('number_of_child_jobs');
      return {
        creation_time: parent.created,
        account_id: parent.account,
        region: parent.region,
        resource_type: parent.type,
        resource_name: parent.name,
        resource_arn: parent.resource,
        state: parent.state,
        number_of_child_jobs: said,
        children_seen: children.length,
        children_missing: said === null ? null : Number(said) - children.length,
        children_completed: children.filter(isGood).length,
        children_failed: children.filter((copy) => copy.state === 'FAILED').length,
        children_partly_done: children.filter((copy) => copy.state === 'PARTIAL').length,
        children_open: children.filter((copy) => !hasEnded(copy)).length,
        parent_bytes: parent.bytes,
        children_bytes: children.every((copy) => copy.bytes === null) ? null : bytesOf(children),
        copy_job_id: parent.id,
      };
    });
  return sorted(rows, { creation_time: 'down', copy_job_id: 'up' });
}
