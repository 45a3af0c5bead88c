/** The last look at the lake: objects in it that are no parts of it. */
import { describeForeign, foreignIn } from '../lake/foreign-objects.ts';
import type { Run } from './open-run.ts';
import type { Publication } from './publication.ts';

/** Readers of the lake must not wait for a store whose listings do not come: the look takes at most this long. */
const longestLookMs = 20_000;

/**
 * What else lies in the partitions that the run touched. It is looked for after the ledger is closed: it is worth a
 * warning, and nothing is lost if the look fails.
 */
export async function lookForForeign(
  { io, log, stops, planning }: Run,
  { touched }: Publication,
): Promise<readonly string[]> {
  const { lake, foreignFolders: folders } = planning;
  const signal = AbortSignal.any([io.stopping, stops.publishing, AbortSignal.timeout(longestLookMs)]);
  const objects = io.stopping.aborted
    ? []
    : await foreignIn(lake.store, touched.values(), lake.buckets, signal).catch((err: unknown) => {
        log.warn({ err }, 'the partitions could not be searched for foreign objects');
        return [];
      });
  const foreign = [...folders, ...objects];
  const description = describeForeign(foreign);
  if (description !== null) log.warn({ foreign_objects: foreign.length }, description);
  return foreign;
}
