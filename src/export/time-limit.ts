/** When the program ends a run that does not end itself: its last resort. */
import { lakeName } from '../config/lake-name.ts';
import type { Settings } from '../config/settings.ts';
import { age } from '../telemetry/human-units.ts';
import { closeAfterDeadlineMs } from './stop-signals.ts';

/** After `closing` (src/export/stop-signals.ts) was aborted. Nearly every run ends by itself in this time. */
const endAfterClosingMs = 30_000;

/** @param then what the run leaves behind */
export function timeLimit(
  { deadlineMs, lake, scratch }: Pick<Settings, 'deadlineMs' | 'lake' | 'scratch'>,
  then: string,
): { readonly ms: number; readonly whenOver: string } {
  const graceMs = closeAfterDeadlineMs + endAfterClosingMs;
  return {
    ms: deadlineMs + graceMs,
    whenOver:
      `The job did not end within its --deadline (${age(deadlineMs)}) and ${age(graceMs)} more. Perhaps it was still making a large part, ` +
      `or the file system or the store of the lake (${lakeName(lake)}) or of scratch (${scratch}) did not respond. Exiting at once. ${then} ` +
      'Check that both respond, or allow a longer --deadline, and run it again.',
  };
}
