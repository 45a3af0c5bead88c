/** Prints the result of `repair`. */
import { exitCodes } from '../shared/exit-codes.ts';
import { count, paragraphs } from '../telemetry/paragraphs.ts';
import { printable } from '../telemetry/printable.ts';
import type { RepairedObject, RepairOutcome, RepairReport } from './repair-report.ts';

const titles: Readonly<Record<RepairOutcome, string>> = {
  'would-restore': '--apply restores',
  'would-hide': '--apply hides',
  'would-reset': '--apply empties',
  restored: 'Restored',
  hidden: 'Hidden by a delete marker',
  reset: 'Emptied',
  changed: 'Changed meanwhile, and left as it is',
  failed: 'Could not be written; the log says why',
  'next-run': 'The next export mends',
  'read-again': 'Gone here, but AWS still has it',
  lost: 'Lost',
  person: 'A person must decide',
  unread: 'Could not be read, so nobody knows whether they are damaged',
};

/** The most urgent first. */
// The keys of an object literal are its own; TypeScript only says string.
const outcomes = (Object.keys(titles) as RepairOutcome[]).reverse();

/** @param columns the terminal's width, to which text is wrapped */
export function renderRepair(report: RepairReport, columns = 100): string {
  const { objects, applied, warnings_left: warnings } = report;
  const blocks = [
    paragraphs(columns, [
      `Repair of the lake ${printable(report.lake)}${applied ? '' : ': a dry run, which changed nothing'}`,
    ]),
    ...outcomes.map((outcome) => {
      const some = objects.filter((object) => object.outcome === outcome);
      return some.length === 0
        ? ''
        : paragraphs(columns, [`${titles[outcome]} (${count(some.length, 'object')}):`, ...some.map(lineOf)]);
    }),
    paragraphs(columns, [conclusion(report)]),
    warnings === 0 ? '' : paragraphs(columns, [`${count(warnings, 'warning')} left: verify shows them.`]),
    paragraphs(columns, [
      `Exit code ${report.exit_code}: ${report.exit_code === 0 ? 'nothing is damaged' : exitCodes[report.exit_code]}.`,
    ]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function lineOf({ key, found, advice }: RepairedObject): string {
  const kinds = found.length === 0 ? '' : ` (${found.join(', ')})`;
  return `- ${printable(key)}${kinds}: ${printable(advice)}.`;
}

function conclusion({ damage_left: damage, objects, applied }: RepairReport): string {
  if (damage === 0 && objects.some(({ outcome }) => outcome === 'unread'))
    return 'verify finds no damage in what could be read. Follow the advice above, then run repair again.';
  if (damage === 0)
    return objects.length === 0 ? 'Nothing is damaged.' : 'After the repair, verify finds no damage.';
  if (applied) return `${count(damage, 'damage')} left that repair cannot mend.`;
  if (!objects.some(({ outcome }) => outcome.startsWith('would-')))
    return 'Repair can mend none of this. Follow the advice above; --apply would change nothing.';
  return 'Run it again with --apply to do this. What is restored can show more damage, so --apply looks again after each round.';
}
