/** Spans of time. */

export const dayMs = 86_400_000;

/** The longest time that a timer of Node can wait is 2^31 - 1 ms. These are whole days. */
export const longestTimerMs = 24 * dayMs;
