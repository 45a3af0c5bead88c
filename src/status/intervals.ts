/** Sets of time, as ascending intervals `[from, to)` that neither overlap nor touch. Milliseconds since the epoch. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What of `whole` lies outside the others, which are ascending and do not overlap. */
export function without(whole: Interval, others: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let { from } = whole;
  for (const other of others) {
    if (other.from > from) left.push({ from, to: Math.min(other.from, whole.to) });
    from = Math.max(from, other.to);
    if (from >= whole.to) break;
  }
  if (from < whole.to) left.push({ from, to: whole.to });
  return left.filter(({ from: start, to }) => start < to);
}

/** What lies between two instants. */
export function clipped(intervals: readonly Interval[], from: number, to: number): Interval[] {
  return intervals
    .map((one) => ({ from: Math.max(one.from, from), to: Math.min(one.to, to) }))
    .filter((one) => one.from < one.to);
}

/** Any intervals as one set. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else if (from < to) merged.push({ from, to });
  }
  return merged;
}
