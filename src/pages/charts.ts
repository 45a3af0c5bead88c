/** Charts without a library: a line of percentages over days with the volume below it, bars, and a table shaded by value. */
import { type Html, html, ownCode } from './html.ts';
import { shortDay } from './short-day.ts';

export const chartStyle = `
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font: 400 11px var(--sans); fill: var(--soft); font-variant-numeric: tabular-nums; }
.c-grid { stroke: var(--line); stroke-width: 1; }
.c-line { fill: none; stroke: var(--good); stroke-width: 2; stroke-linejoin: round; }
.c-dot { fill: var(--card); stroke: var(--good); stroke-width: 2; }
.c-day:hover .c-dot, .c-day:hover .c-volume { fill: var(--good); }
.c-volume { fill: var(--none-fill); }
.c-bad { fill: var(--bad-fill); }
.c-hit { fill: transparent; }
.bars { display: grid; gap: 11px; margin: 0; padding: 0; list-style: none; }
.bars .line { display: flex; justify-content: space-between; gap: 12px; font-size: 14px; }
.bars .line span:first-child { overflow-wrap: anywhere; }
.bars .line .n { white-space: nowrap; color: var(--soft); }
.bars .line .n b { color: var(--ink); font-weight: 600; }
.bars .track { height: 8px; border-radius: 4px; background: var(--none-fill); overflow: hidden; margin-top: 4px; }
.bars .track i { display: block; height: 100%; border-radius: 4px; background: var(--bad-fill); }
.shaded th, .shaded td { padding: 7px 10px; border-top: 1px solid var(--card); }
.shaded tbody th { white-space: nowrap; padding-left: 0; }
.shaded td { text-align: right; white-space: nowrap; background: color-mix(in oklab, var(--good-fill) calc(var(--share) * .38), var(--raised)); }
.shaded td.zero { color: var(--soft); background: none; }
.shaded .sub { display: block; font-size: 12px; color: var(--bad); }
`;

export interface DayRate {
  /** `yyyy-MM-dd` */
  readonly day: string;
  /** 0 to 100; null: nothing to measure. */
  readonly percent: number | null;
  readonly volume: number;
  /** What a pointer over the day shows. */
  readonly title: string;
}

const wide = 560;
const [left, right, top, lineHeight, volumeHeight] = [40, 8, 10, 120, 40];

/** @param spoken a sentence that says what the chart shows */
export function rateChart(days: readonly DayRate[], spoken: string): Html {
  const known = days.flatMap(({ percent }) => (percent === null ? [] : [percent]));
  const floor = Math.max(0, Math.min(90, Math.floor((Math.min(100, ...known) - 1) / 10) * 10));
  const most = Math.max(1, ...days.map(({ volume }) => volume));
  const step = (wide - left - right) / Math.max(1, days.length);
  const x = (at: number) => left + step * (at + 0.5);
  const y = (percent: number) => top + lineHeight * (1 - (percent - floor) / (100 - floor));
  const base = top + lineHeight + 24 + volumeHeight;
  let pen = 'M';
  const line = days
    .map(({ percent }, at) => {
      if (percent === null) {
        pen = 'M';
        return '';
      }
      const point = `${pen}${fixed(x(at))} ${fixed(y(percent))}`;
      pen = 'L';
      return point;
    })
    .join('');
  const levels = [floor, (floor + 100) / 2, 100];
  const bar = Math.max(2, step - 3);
  const each = Math.max(1, Math.ceil(days.length / 6));
  return html`<svg class="chart" viewBox="0 0 ${wide} ${base + 22}" role="img" aria-label="${spoken}">
${levels.map((level) => html`<path class="c-grid" d="M${left} ${fixed(y(level))}H${wide - right}"/><text x="${left - 8}" y="${fixed(y(level) + 4)}" text-anchor="end">${level} %</text>`)}
<text x="${left - 8}" y="${fixed(base - volumeHeight + 8)}" text-anchor="end">${compact(most)}</text>
<path class="c-line" d="${line}"/>
${days.map(
  ({ percent, volume, title, day }, at) =>
    html`<g class="c-day"><title>${title}</title><rect class="c-volume" x="${fixed(x(at) - bar / 2)}" y="${fixed(base - (volume / most) * volumeHeight)}" width="${fixed(bar)}" height="${fixed((volume / most) * volumeHeight)}" rx="1.5"/>${percent !== null && html`<circle class="c-dot" cx="${fixed(x(at))}" cy="${fixed(y(percent))}" r="3"/>`}<rect class="c-hit" x="${fixed(x(at) - step / 2)}" y="${top}" width="${fixed(step)}" height="${fixed(base - top)}"/>${at % each === 0 && html`<text x="${fixed(x(at))}" y="${base + 16}" text-anchor="middle">${shortDay(day)}</text>`}</g>
`,
)}
</svg>`;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Beside the value. */
  readonly note: string;
}

/** The longest bar is the largest value. */
export function bars(all: readonly Bar[]): Html {
  const most = Math.max(1, ...all.map(({ value }) => value));
  return html`<ul class="bars">${all.map(
    ({ name, value, note }) =>
      html`<li><div class="line"><span>${name}</span><span class="n"><b>${value.toLocaleString('en-US')}</b> ${note}</span></div><div class="track" aria-hidden="true"><i style="width:${fixed((value / most) * 100)}%"></i></div></li>`,
  )}</ul>`;
}

export interface Shaded {
  readonly row: string;
  readonly column: string;
  readonly value: number;
  /** Below the value; '' for none. */
  readonly note: string;
}

/** Rows by columns, the cells shaded by their value. @param corner names rows and columns */
export function shadedTable(corner: string, caption: string, cells: readonly Shaded[]): Html {
  const rows = [...new Set(cells.map(({ row }) => row))].sort();
  const columns = [...new Set(cells.map(({ column }) => column))].sort();
  const most = Math.max(1, ...cells.map(({ value }) => value));
  const byPlace = new Map(cells.map((cell) => [JSON.stringify([cell.row, cell.column]), cell]));
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table class="shaded">
<thead><tr><th scope="col">${corner}</th>${columns.map((column) => html`<th scope="col" class="n">${column}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${row}</th>${columns.map((column) => {
        const cell = byPlace.get(JSON.stringify([row, column]));
        if (cell === undefined) return html`<td class="zero">–</td>`;
        const share = Math.round((cell.value / most) * 100);
        return html`<td style="--share:${ownCode(String(share))}%">${cell.value.toLocaleString('en-US')}${cell.note !== '' && html`<span class="sub">${cell.note}</span>`}</td>`;
      })}</tr>
`,
  )}</tbody></table></div>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function compact(value: number): string {
  return value.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });
}
