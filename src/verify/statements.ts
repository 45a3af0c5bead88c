/** What a look has proven, and what it has not: sentences for the verdict. */
import { count, grouped } from '../telemetry/paragraphs.ts';
import type { VerifyReport } from './verdict.ts';

type Facts = Omit<VerifyReport, 'proven' | 'not_proven'> & {
  /** Manifests that nothing in the lake vouches for. */
  readonly heads: readonly string[];
  /** How many public keys were given; null: none. */
  readonly keys: number | null;
};

export function statements(facts: Facts): Pick<VerifyReport, 'proven' | 'not_proven'> {
  return { proven: provenBy(facts), not_proven: leftOpen(facts) };
}

function provenBy(facts: Facts): readonly string[] {
  const { checked, quick, findings, heads, since, subset, complete } = facts;
  const isWhole = since === null && subset === null && complete;
  const which = isWhole ? 'Every part' : `Each of the ${grouped(checked.parts)} parts that were read`;
  const unless = findings.length === 0 ? '' : ', except for the findings';
  const parts = quick
    ? `${which} has the size that its manifest names, and on S3 also the ETag and SHA-256 that were stored with it`
    : `${which} has the SHA-256, size and rows that its manifest names; its keys are unique; its rows lie in their partition, bucket and order; its schema, derived columns and statistics are true`;
  return [
    `${parts}${unless}.`,
    `No part that a manifest names is missing, and no other object lies among the parts${unless}.`,
    `Every manifest but the newest (${count(heads.length, 'manifest')}) is the one that a later one names${unless}.`,
    ...(quick || checked.watermarks === 0
      ? []
      : [
          `${count(checked.watermarks, 'watermark')}: the coverage of the runs proves what each claims${unless}.`,
        ]),
    ...checkpointsProve(facts),
  ];
}

function checkpointsProve({ checked, keys, findings }: Facts): readonly string[] {
  const { checkpoints, signed_checkpoints: signed, witness_copies: copies } = checked;
  if (checkpoints === 0) return [];
  const unless = findings.length === 0 ? '' : ', except for the findings';
  const chain = `${count(checkpoints, 'checkpoint')} form a chain without a gap, and the newest names the lake’s ${count(checked.objects_in_newest_checkpoint, 'object')} as they are${unless}.`;
  return [
    chain,
    ...(keys === null
      ? []
      : [
          `${grouped(signed)} of the checkpoints are signed by the given key${keys === 1 ? '' : 's'}${unless}.`,
        ]),
    ...(copies === null
      ? []
      : [`The witness has the same checkpoints (${grouped(copies)}) and no newer one${unless}.`]),
  ];
}

function leftOpen(facts: Facts): readonly string[] {
  const {
    since,
    subset,
    quick,
    complete,
    checked,
    parts_without_manifest: unproven,
    parts_in_lake: all,
  } = facts;
  const lines: string[] = [];
  if (since !== null) lines.push(`Objects of days before ${since} were not read (--since).`);
  if (subset !== null) {
    lines.push(
      `Only slice ${subset.number} of ${subset.of} was read (--subset): ${grouped(checked.parts)} of ${count(all, 'part')}.`,
    );
  }
  if (!complete) lines.push('The time was up before all was read (--max-duration).');
  if (quick)
    lines.push('No part was read (--quick): its rows, and on a local lake its SHA-256, may be other ones.');
  if (since !== null || subset !== null || !complete) {
    lines.push(
      'Whether a job is in two parts: only a look at the whole lake at once shows that. Each part was checked alone.',
    );
  }
  if (since !== null || quick) lines.push('The watermarks were not compared with the coverage.');
  if (unproven > 0) {
    lines.push(
      `${count(unproven, 'part')} last written by runs that never ended: no manifest names their SHA-256. Their rows were checked.`,
    );
  }
  if (facts.keys === null) {
    lines.push(
      'Whether somebody wrote the ledger and the checkpoints anew: that needs signed checkpoints and --public-key.',
    );
  }
  if (checked.witness_copies === null) {
    lines.push(
      'Whether the newest runs were removed whole, or the lake was put back to an earlier state: that needs --witness.',
    );
  }
  lines.push('Whether the rows are what AWS showed: verify compares the lake with what the runs recorded.');
  return lines;
}
