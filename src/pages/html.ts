/** HTML that is safe by construction: what is put into a template is escaped, unless it is HTML already. */
import { printable } from '../telemetry/printable.ts';

/** A piece of a page. Only `html` and `ownCode` make one. */
export class Html {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }

  /** @internal for `html` and `ownCode` */
  static of(text: string): Html {
    return new Html(text);
  }
}

/** What may stand in a template: text and numbers are escaped; null and false are left out. */
export type Content = Html | string | number | null | false | readonly Content[];

/** `` html`<td>${name}</td>` `` */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let text = parts[0] ?? '';
  contents.forEach((content, at) => {
    text += textOf(content) + (parts[at + 1] ?? '');
  });
  return Html.of(text);
}

/** Style and script that this program wrote itself; a closing tag in it would end the element early. */
export function ownCode(code: string): Html {
  if (/<\/(?:style|script)/i.test(code)) throw new Error('the code contains a closing tag');
  return Html.of(code);
}

function textOf(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escaped(content);
  return content.map(textOf).join('');
}

/** Safe in text and in quoted attributes. Control characters and bidirectional overrides are replaced. */
function escaped(text: string): string {
  return printable(text.toWellFormed())
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
