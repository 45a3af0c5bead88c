/** Suggests a known name for a mistyped one. */
import { distance, closest as nearest } from 'fastest-levenshtein';

/** The known name that is closest to what was typed; null if none is close. */
export function closestName(word: string, known: Iterable<string>): string | null {
  const names = [...known];
  const spelled = word
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll('_', '-');
  if (names.length === 0) return null;
  const found = nearest(spelled, names);
  const most = Math.min(3, Math.floor(Math.max(spelled.length, 3) / 3));
  if (distance(spelled, found) <= most) return found;
  return names.filter((one) => one.startsWith(spelled) && spelled.length >= 3)[0] ?? null;
}
