/** Spans of time. */

export const dayMs = 86_400_000;
