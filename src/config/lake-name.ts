import type { LakeLocation } from './typed-values.ts';

/** The lake as messages, metrics and summaries name it: its URL without a slash at the end, or its folder. */
export function lakeName(lake: LakeLocation): string {
  return lake.kind === 's3' ? `s3://${lake.bucket}/${lake.prefix}`.replace(/\/$/, '') : lake.folder;
}
