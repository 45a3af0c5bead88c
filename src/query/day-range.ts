/** Which UTC days of a lake a query reads. */
import { dayMs } from '../shared/time.ts';

/** `yyyy-MM-dd`, both included; null: no bound. Days of this form sort as text. */
export interface DayRange {
  readonly from: string | null;
  readonly to: string | null;
}

export const allDays: DayRange = { from: null, to: null };

export function isWithin(day: string, { from, to }: DayRange): boolean {
  return (from === null || day >= from) && (to === null || day <= to);
}

/** From so many days before `newest` on. */
export function daysBefore(newest: string, count: number): DayRange & { readonly from: string } {
  const first = Date.parse(`${newest}T00:00:00Z`) - count * dayMs;
  return { from: new Date(first).toISOString().slice(0, 10), to: null };
}
