/** What a look has proven, and what it has not: sentences for the verdict. */
import { count, grouped } from '../telemetry/paragraphs.ts';
import type { VerifyReport } from './verify-report.ts';

type Facts = Omit<VerifyReport, 'proven' | 'not_proven'> & {
  /** Manifests that nothing in the lake vouches for. */
  readonly heads: readonly string[];
  /** How many public keys were given; null: none. */
  readonly keys: number | null;
  /** Runs that had ended before the first checkpoint. */
  readonly runsBefore: number;
};

export function statements(facts: Facts): Pick<VerifyReport, 'proven' | 'not_proven'> {
  return { proven: provenBy(facts), not_proven: leftOpen(facts) };
}

function provenBy(facts: Facts): readonly string[] {
  const { checked, quick, findings, heads, since, subset, complete } = facts;
  const isWhole = since === null && subset === null && complete;
  const some =
    checked.parts === 1
      ? 'The part that was read'
      : `Each of the ${grouped(checked.parts)} parts that were read`;
  const which = isWhole ? 'Every part' : some;
  const unless = findings.length === 0 ? '' : ', except for the findings';
  const parts = quick
    ? `${which} has the size that its manifest names, and on S3 also the ETag and SHA-256 that were stored with it`
    : `${which} has the SHA-256, size and rows that its manifest names; its keys are unique; its rows lie in their partition, bucket and order; its schema, derived columns and statistics are true`;
  return [
    ...(isWhole || checked.parts > 0 ? [`${parts}${unless}.`] : []),
    `No part that a manifest names is missing, and no other object lies among the parts${unless}.`,
    `Each manifest except the newest (${count(heads.length, 'manifest')}) has the SHA-256 that a later manifest names${unless}.`,
    ...(checked.begin_records === 0
      ? []
      : [
          `${count(checked.begin_records, 'begin record')}: each is the one that the manifest of its run names, or is readable if that names none${unless}.`,
        ]),
    ...(quick || checked.watermarks === 0
      ? []
      : [
          `${count(checked.watermarks, 'watermark')}: the coverage of the runs proves what each claims${unless}.`,
        ]),
    ...checkpointsProve(facts),
  ];
}

/** The findings that say that the witness has other checkpoints, or none. */
const witnessDiffers: ReadonlySet<string> = new Set([
  'witness-missing',
  'checkpoint-rolled-back',
  'checkpoint-forked',
  'checkpoint-missing',
]);

function checkpointsProve(facts: Facts): readonly string[] {
  const { checked, keys, findings } = facts;
  const { checkpoints, signed_checkpoints: signed, witness_copies: copies } = checked;
  if (checkpoints === 0) return [];
  const unless = findings.length === 0 ? '' : ', except for the findings';
  const chain = `${checkpoints === 1 ? '1 checkpoint forms' : `${grouped(checkpoints)} checkpoints form`} a chain without a gap`;
  return [
    `${chain}, and the newest names ${namedObjects(facts)}${unless}.`,
    ...(keys === null || signed === 0
      ? []
      : [
          `${grouped(signed)} of the checkpoints ${signed === 1 ? 'is' : 'are'} signed by the given key${keys === 1 ? '' : 's'}${unless}.`,
        ]),
    ...(copies === null || copies === 0 || findings.some(({ kind }) => witnessDiffers.has(kind))
      ? []
      : [`The witness has the same checkpoints (${grouped(copies)}) and no newer one.`]),
  ];
}

/** What the newest checkpoint was compared with. */
function namedObjects({ checked, keys, quick, since, subset, complete }: Facts): string {
  const objects = count(checked.objects_in_newest_checkpoint, 'object');
  if (keys === null) return `${objects} as the ledger does`;
  const wasRead = !quick && since === null && subset === null && complete;
  return wasRead
    ? `the lake’s ${objects} as they are`
    : `the lake’s ${objects} as they were read, or as the ledger names those that were not`;
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
    lines.push(
      'No part was read (--quick): its rows, and on a local lake its SHA-256, may be other ones. Nor were the begin records of older runs.',
    );
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
  if (facts.keys === null && checked.checkpoints > 0) {
    lines.push(
      'Whether newer checkpoints were removed: objects that the newest one does not count were taken for the work of a run that died. That needs --public-key.',
    );
  }
  if (facts.runsBefore > 0) {
    const them = facts.runsBefore === 1 ? 'it' : 'them';
    lines.push(
      `What happened before the first checkpoint: ${count(facts.runsBefore, 'run')} had ended by then, and it counts ${them} as the manifests said. If there were checkpoints before it, somebody removed them.`,
    );
  }
  if (checked.checkpoints === 0) {
    lines.push(
      'Whether the ledger is complete: this lake has no checkpoint. If it had any, somebody removed them.',
    );
  }
  if (checked.witness_copies === 0) {
    lines.push('Whether the witness agrees: it has no checkpoint of this lake. Check --witness.');
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
