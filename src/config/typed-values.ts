/** Types of option values that are more than a text, a number or a switch. */

/** The location of the lake. */
export type LakeLocation =
  | { readonly kind: 's3'; readonly bucket: string /** '' or ends without `/` */; readonly prefix: string }
  | { readonly kind: 'local' /** absolute */; readonly folder: string };

/** The key that signs checkpoints: in AWS KMS, by its ARN, id or alias; or a file. */
export type SigningKeyLocation =
  | { readonly kind: 'kms'; readonly id: string }
  | { readonly kind: 'file' /** absolute */; readonly file: string };

/** Which accounts to read. */
export type AccountSelection =
  | { readonly kind: 'self' }
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly accountIds: readonly string[] }
  | { readonly kind: 'units'; readonly unitIds: readonly string[] };

/** The start of the window: the watermark (`auto`), no limit (`all`), a point in time, or a span before as-of. */
export type Since =
  | { readonly kind: 'auto' }
  | { readonly kind: 'all' }
  | { readonly kind: 'instant'; readonly epochMs: number }
  | { readonly kind: 'ago'; readonly ms: number };

/** A daily window in UTC, without `to` itself. If `to` is before `from`, the window crosses midnight. */
export interface PublishWindow {
  /** Milliseconds since midnight. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** One of several processes that share the accounts: it has the lake's buckets `b` with `b % count === index`. */
export interface Shard {
  /** From 0 on. */
  readonly index: number;
  readonly count: number;
}

/** How many targets must fail for the run to fail. */
export type FailOn =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' }
  /** More than this share of the planned targets, 0 to 1. */
  | { readonly kind: 'share'; readonly share: number };

/** How many targets are read at once; `auto`: the run finds out, within `autoConcurrency`. */
export type ConcurrencySetting = number | 'auto';

/** Where `auto` begins, and between which levels it stays. */
export const autoConcurrency = { first: 16, least: 4, ceiling: 64 } as const;

/** The most targets that are read at once. */
export function mostConcurrency(setting: ConcurrencySetting): number {
  return setting === 'auto' ? autoConcurrency.ceiling : setting;
}
