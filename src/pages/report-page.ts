/**
 * The frame of a report page: one self-contained file that loads nothing. A report gives it a verdict, a few figures and
 * its sections; colours for light and dark, keyboard use and print come with it.
 */
import { type Content, type Html, html, ownCode } from './html.ts';
import { pageScript, pageStyle } from './style.ts';

/** Colours and symbol of a statement. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export interface Page {
  readonly title: string;
  /** One line above the title: what kind of report this is. */
  readonly kicker: string;
  /** What the report is about, such as the lake’s address. */
  readonly subject: string;
  readonly verdict: { readonly tone: Tone; readonly say: string; readonly why: Content };
  readonly figures: readonly Figure[];
  /** From `section` and `pair`. */
  readonly sections: readonly Html[];
  /** Lines at the end: who made the page, when, from what. */
  readonly footer: readonly Content[];
  /** Styles that only this report needs. */
  readonly style?: string;
}

/** A number that a person should see first. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly of?: string;
  readonly tone?: Tone;
}

/** The whole document, ending in a newline. */
export function page(content: Page): string {
  const { verdict } = content;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<link rel="icon" href="data:,">
<title>${content.title}</title>
<style>${ownCode(pageStyle + (content.style ?? ''))}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
<div class="frame">
<header class="top">
<div><p class="kicker">${content.kicker}</p><h1>${content.title}</h1><p class="lake">${content.subject}</p></div>
<button class="scheme" type="button" hidden>Dark colours</button>
</header>
<main id="report">
<div class="verdict ${verdict.tone}" role="status">${symbol(verdict.tone)}<p class="say">${verdict.say}</p><p class="why">${verdict.why}</p></div>
${content.figures.length > 0 && html`<dl class="figures">${content.figures.map(figure)}</dl>`}
${content.sections}
</main>
<footer>${content.footer.map((line) => html`<p>${line}</p>`)}</footer>
</div>
<script>${ownCode(pageScript)}</script>
</body>
</html>
`;
  return document.text;
}

/** A card with a heading. `note` says in a sentence what it shows; `long`: a printer may break it across pages. */
export function section(
  id: string,
  title: string,
  note: Content,
  body: Content,
  size: 'short' | 'long' = 'short',
): Html {
  return html`<section class="card${size === 'long' && ' long'}" id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
<p class="note">${note}</p>
${body}
</section>
`;
}

/** Two sections side by side where there is room. */
export function pair(sections: readonly Html[]): Html {
  return html`<div class="pair">${sections}</div>`;
}

/** A word with the symbol and colour of its tone. */
export function tag(tone: Tone, text: string): Html {
  return html`<span class="tag ${tone}">${symbol(tone)}${text}</span>`;
}

export interface TableColumn {
  readonly name: string;
  /** Numbers stand to the right; times and short names do not wrap. */
  readonly kind?: 'text' | 'number' | 'short';
}

/** A table whose first cell of each row names the row. @param caption what it lists, for people who do not see the page */
export function dataTable(
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly Content[])[],
): Html {
  const classOf = (at: number): string => {
    const kind = columns[at]?.kind;
    return kind === 'number' ? ' class="n"' : kind === 'short' ? ' class="t"' : '';
  };
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<thead><tr>${columns.map(({ name }, at) => html`<th scope="col"${ownCode(classOf(at))}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, at) =>
        at === 0
          ? html`<th scope="row"${ownCode(classOf(at))}>${cell}</th>`
          : html`<td${ownCode(classOf(at))}>${cell}</td>`,
      )}</tr>
`,
  )}</tbody></table></div>`;
}

function figure({ name, value, of, tone }: Figure): Html {
  return html`<div class="figure ${tone ?? 'plain'}"><dt>${name}</dt><dd><span class="n">${value}</span>${of !== undefined && html`<span class="of">${of}</span>`}</dd></div>`;
}

const strokes: Readonly<Record<Tone, string>> = {
  good: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 5.5v8M12 17.2v1.3',
  bad: 'M7 7l10 10M17 7L7 17',
  plain: 'M12 11v7M12 5.5v1.3',
};

/** A check mark, an exclamation mark, a cross or an i. */
function symbol(tone: Tone): Html {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"><circle cx="12" cy="12" r="10.6" stroke-width="2"/><path d="${strokes[tone]}"/></svg>`;
}
