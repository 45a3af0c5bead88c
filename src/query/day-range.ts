/** The range of UTC days that a query reads. */
import { dayMs } from '../shared/time.ts';

/** `yyyy-MM-dd`, both inclusive; null: no bound. Days in this form sort as text. */
export interface DayRange {
  readonly from: string | null;
  readonly to: string | null;
}

export const allDays: DayRange = { from: null, to: null };

export function isWithin(day: string, { from, to }: DayRange): boolean {
  return (from === null || day >= from) && (to === null || day <= to);
}

/** Every day from `count` days before `newest`. */
export function daysBefore(newest: string, count: number): DayRange & { readonly from: string } {
  const first = Date.parse(`${newest}T00:00:00Z`) - count * dayMs;
  return { from: new Date(first).toISOString().slice(0, 10), to: null };
}
