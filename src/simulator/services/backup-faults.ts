/** Damages pages as faults demand. Works on copies, so later pages are not affected. */
import type { FaultKind } from '../faults.ts';

const bigMark = '"a number beyond doubles"';
/** Odd, and above 2^53: no double holds it. */
const bigNumber = '9007199254740993';

export function spoilRecords(records: readonly object[], kinds: ReadonlySet<FaultKind>): readonly object[] {
  const [first, ...others] = records;
  if (first === undefined || kinds.size === 0) return records;
  const isJob = 'CopyJobId' in first;
  const spoiled: Record<string, unknown> = { ...first };
  if (kinds.has('bad-date')) spoiled[isJob ? 'CreationDate' : 'StartTime'] = 'the day before yesterday';
  if (kinds.has('big-integer')) spoiled[isJob ? 'BackupSizeInBytes' : 'Count'] = JSON.parse(bigMark);
  if (kinds.has('missing-id')) delete spoiled[isJob ? 'CopyJobId' : 'StartTime'];
  if (kinds.has('unknown-state')) spoiled.State = 'QUIESCING';
  if (kinds.has('half-character'))
    spoiled[isJob ? 'StatusMessage' : 'MessageCategory'] = 'half a pair \ud83d, \0 and \ufffe';
  if (kinds.has('unknown-field')) spoiled.FieldOfTomorrow = { Depth: 1 };
  return [spoiled, ...others];
}

/** Moves creation dates by this many milliseconds. */
export function moveDates(records: readonly object[], ms: number): readonly object[] {
  if (ms === 0) return records;
  return records.map((record) =>
    'CreationDate' in record && typeof record.CreationDate === 'number'
      ? { ...record, CreationDate: record.CreationDate + ms / 1000 }
      : record,
  );
}

export function spoilBody(body: string, kinds: ReadonlySet<FaultKind>): string {
  const whole = kinds.has('big-integer') ? body.replace(bigMark, bigNumber) : body;
  return kinds.has('bad-json') ? whole.slice(0, Math.floor(whole.length * 0.7)) : whole;
}
