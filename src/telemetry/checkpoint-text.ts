/** What the summary says about the checkpoint of a run. */
import { count, grouped, paragraphs } from './paragraphs.ts';
import { printable } from './printable.ts';
import type { CheckpointSummary } from './run-summary.ts';

/** How many keys are named; JSON has all. */
const shown = 3;

export function renderCheckpoint(checkpoint: CheckpointSummary, columns: number): string {
  const {
    number,
    parts,
    sha256,
    signed_by: key,
    adopted_runs: adopted,
    unexplained_parts: unexplained,
  } = checkpoint;
  const signature = key === null ? 'not signed' : `signed with the key ${key.slice(0, 16)}…`;
  const more = unexplained.length > shown ? ', …' : '';
  return paragraphs(columns, [
    `Checkpoint ${number}: ${count(parts, 'Parquet file')}, SHA-256 ${sha256.slice(0, 16)}…, ${signature}.`,
    ...(checkpoint.signing_begins && number > 1
      ? [
          'Signing begins with this checkpoint. If this lake was signed before, somebody replaced its checkpoints.',
        ]
      : []),
    ...(number > 1 || adopted === 0
      ? []
      : [
          'The chain of checkpoints begins here. If this lake had checkpoints before, somebody removed them.',
        ]),
    ...(adopted === 0
      ? []
      : [
          `${count(adopted, 'run')} had no checkpoint of ${adopted === 1 ? 'its' : 'their'} own. This one counts ${adopted === 1 ? 'it' : 'them'} too.`,
        ]),
    ...(unexplained.length === 0
      ? []
      : [
          `Before this run, ${grouped(unexplained.length)} ${unexplained.length === 1 ? 'part differed' : 'parts differed'} from the ledger: ${printable(unexplained.slice(0, shown).join(', '))}${more}. A run that died or has not ended wrote them, or somebody changed them.`,
        ]),
  ]);
}
