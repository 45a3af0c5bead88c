/** The types of options whose value is more than a text, a number or a switch. */

/** Where the lake lies. */
export type LakeLocation =
  | { readonly kind: 's3'; readonly bucket: string /** '' or ends without `/` */; readonly prefix: string }
  | { readonly kind: 'local' /** absolute */; readonly folder: string };

/** Which accounts to read. */
export type AccountSelection =
  | { readonly kind: 'self' }
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly accountIds: readonly string[] }
  | { readonly kind: 'units'; readonly unitIds: readonly string[] };

/** Where the window begins. `auto`: where the watermark says; an instant or a span before as-of otherwise. */
export type Since =
  | { readonly kind: 'auto' }
  | { readonly kind: 'all' }
  | { readonly kind: 'instant'; readonly epochMs: number }
  | { readonly kind: 'ago'; readonly ms: number };

/** A time of day in UTC, every day; `to` itself is not in it. With `to` before `from`, it goes over midnight. */
export interface PublishWindow {
  /** Milliseconds since midnight. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** How many failed targets make the run fail. */
export type FailOn =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' }
  /** More than this share of the planned targets, 0 to 1. */
  | { readonly kind: 'share'; readonly share: number };
