/** When the program ends a run that does not end itself: its last resort. */
import { lakeName } from '../config/lake-name.ts';
import type { Settings } from '../config/settings.ts';
import { age } from '../telemetry/human-units.ts';
import { closeAfterDeadlineMs } from './stop-signals.ts';

/** A run that can end by itself does so in this time after `closing` (src/export/stop-signals.ts) was aborted. */
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
      `The job did not end within its --deadline (${age(deadlineMs)}) and ${age(graceMs)} more: something did not respond, ` +
      `such as the file system or the store of the lake (${lakeName(lake)}) or of scratch (${scratch}). Exiting at once. ${then} ` +
      'Check that both respond, and run it again.',
  };
}
