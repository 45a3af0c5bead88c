/** A duration for people: `0.4s`, `12s`, `3m 5s`, `2h 10m`. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 10_000) return `${Math.round(ms / 100) / 10}s`;
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}
