/**
 * Rows of time: what is proven, what is missing and what is lost, drawn to scale over a range of days. Each kind has a
 * pattern of its own beside its colour.
 */
import { dayMs } from '../shared/time.ts';
import { type Content, type Html, html, ownCode } from './html.ts';
import { shortDay } from './short-day.ts';

/** From `from` to `to`, in milliseconds since the epoch. */
export interface Mark {
  readonly kind: 'proven' | 'gap' | 'lost';
  readonly from: number;
  readonly to: number;
}

export interface Days {
  /** UTC midnight. */
  readonly from: number;
  readonly count: number;
}

/** About as wide as it is drawn, so that the patterns keep their shape. */
const width = 560;
const height = 18;

/** `--cells`: into how many cells thin lines divide a row. */
export const timelineStyle = `
.pictures { position: absolute; width: 0; height: 0; }
.s-proven { fill: var(--good-fill); }
.s-gap { fill: url(#gap); }
.s-lost { fill: url(#lost); }
.p-gap { fill: var(--warn-wash); } .p-gap-line { stroke: var(--warn-fill); stroke-width: 3.4; }
.p-lost { fill: var(--bad-fill); } .p-lost-line { stroke: var(--card); stroke-width: 1.1; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 0 0 16px; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend svg { width: 30px; height: 14px; border-radius: 3px; background: var(--none-fill); }
.rows { --label: 290px; --state: 124px; }
.row, .axis { display: grid; grid-template-columns: var(--label) minmax(0, 1fr) var(--state); gap: 0 14px; align-items: center; }
.row { padding: 3px 0; min-height: 26px; }
.axis { color: var(--soft); font-size: 12px; }
.axis .dates { position: relative; height: 20px; }
.axis .dates span { position: absolute; white-space: nowrap; transform: translateX(-1px); border-left: 1px solid var(--line); padding-left: 5px; line-height: 1.4; }
.row .who { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 14px; }
.row .who .id { margin-left: 6px; }
.strip { position: relative; height: 18px; border-radius: 4px; overflow: hidden; background: var(--none-fill); }
.strip svg { display: block; width: 100%; height: 100%; }
.strip::after { content: ''; position: absolute; inset: 0; pointer-events: none;
  background: repeating-linear-gradient(to right, transparent 0 calc(100% / var(--cells) - 1px), var(--card) calc(100% / var(--cells) - 1px) calc(100% / var(--cells))); }
.rows details > summary { width: auto; color: inherit; padding: 0; list-style: none; border-radius: 6px; }
.rows details > summary::-webkit-details-marker { display: none; }
.rows details > summary:hover { text-decoration: none; background: var(--raised); }
.rows details > summary .who::before { content: '▸'; display: inline-block; width: 1.1em; color: var(--soft); }
.rows details[open] > summary .who::before { content: '▾'; }
.rows .inner { padding: 2px 0 8px; }
.rows .inner .who { padding-left: 1.3em; color: var(--soft); font-size: 13px; }
.rows .inner .strip { height: 12px; }
.rows details.all { margin-top: 12px; border-top: 1px solid var(--line); padding-top: 10px; }
.rows details.all > summary { color: var(--accent); }
.rows .names { margin: 2px 0 8px 1.3em; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  .row, .axis { grid-template-columns: minmax(0, 1fr); gap: 3px; }
  .row { padding: 7px 0; }
}
@media print { .rows { --label: 200px; --state: 104px; } .strip { height: 12px; } }
`;

/** The patterns; once on a page that has timelines. */
export function timelinePatterns(): Html {
  return html`<svg class="pictures" aria-hidden="true" focusable="false"><defs>
<pattern id="gap" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="p-gap" width="9" height="9"/><path class="p-gap-line" d="M2 0v9"/></pattern>
<pattern id="lost" width="12" height="9" patternUnits="userSpaceOnUse"><rect class="p-lost" width="12" height="9"/><path class="p-lost-line" d="M3.5 2l5 5M8.5 2l-5 5"/></pattern>
</defs></svg>`;
}

/** What the patterns mean. */
export function timelineLegend(words: Readonly<Record<Mark['kind'] | 'none', string>>): Html {
  const kinds = ['proven', 'gap', 'lost', 'none'] as const;
  return html`<ul class="legend">${kinds.map(
    (kind) =>
      html`<li><svg viewBox="0 0 30 14" aria-hidden="true">${kind !== 'none' && html`<rect class="s-${kind}" width="30" height="14"/>`}</svg>${words[kind]}</li>`,
  )}</ul>`;
}

/** The dates above the rows, one for each week or two. */
export function timelineAxis(days: Days): Html {
  const ticks: Html[] = [];
  const step = days.count > 42 ? 14 : 7;
  for (let at = 0; at + 2 < days.count; at += step) {
    const label = shortDay(new Date(days.from + at * dayMs).toISOString().slice(0, 10));
    ticks.push(html`<span style="left:${ownCode(((at / days.count) * 100).toFixed(2))}%">${label}</span>`);
  }
  return html`<div class="axis" aria-hidden="true"><span></span><div class="dates">${ticks}</div><span></span></div>`;
}

/** One row. @param spoken what the strip shows, for people who do not see it */
export function timelineRow(
  who: Content,
  marks: readonly Mark[],
  days: Days,
  spoken: string,
  state: Content,
): Html {
  return html`<div class="row"><span class="who">${who}</span>${strip(marks, days, spoken)}<span>${state}</span></div>
`;
}

/** A row that opens to show more. */
export function timelineDetails(row: Parameters<typeof timelineRow>, inner: Content): Html {
  const [who, marks, days, spoken, state] = row;
  return html`<details><summary><div class="row"><span class="who">${who}</span>${strip(marks, days, spoken)}<span>${state}</span></div></summary><div class="inner">${inner}</div></details>
`;
}

/** Proven time is drawn first, so that what is missing in any of several targets lies on top. */
function strip(marks: readonly Mark[], days: Days, spoken: string): Html {
  const order = ['proven', 'gap', 'lost'] as const;
  const paths = order.flatMap((kind) => {
    const d = pathOf(
      marks.filter((mark) => mark.kind === kind),
      days,
    );
    return d === '' ? [] : [html`<path class="s-${kind}" d="${d}"/>`];
  });
  return html`<div class="strip"><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${spoken}">${paths}</svg></div>`;
}

/** Rectangles as one path. Intervals that touch are one; none is too thin to be seen. */
function pathOf(marks: readonly Mark[], days: Days): string {
  const scale = width / (days.count * dayMs);
  const spans = marks
    .map(({ from, to }) => ({
      from: Math.max(0, (from - days.from) * scale),
      to: Math.min(width, (to - days.from) * scale),
    }))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of spans) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged
    .map(({ from, to }) => `M${round(from)} 0h${round(Math.max(1.5, to - from))}v${height}H${round(from)}z`)
    .join('');
}

function round(units: number): number {
  return Math.round(units * 100) / 100;
}
