/** A report page escapes what comes from outside, and loads nothing. */
import { expect, it } from 'vitest';
import { html, ownCode } from '../../src/pages/html.ts';
import { dataTable, page, pair, section, tag } from '../../src/pages/report-page.ts';

const hostile = '</script><img src=x onerror="alert(1)">\u202e\u0000&';

it('escapes text from outside in every place where a report may put it', () => {
  const written = page({
    title: hostile,
    kicker: hostile,
    subject: hostile,
    verdict: { tone: 'bad', say: hostile, why: hostile },
    figures: [{ name: hostile, value: hostile, of: hostile, tone: 'warn' }],
    sections: [
      section('one', hostile, hostile, [
        tag('warn', hostile),
        dataTable(hostile, [{ name: hostile }, { name: 'n', kind: 'number' }], [[hostile, 1]]),
      ]),
      pair([section('two', 'Two', '', html`<p title="${hostile}">${hostile}</p>`, 'long')]),
    ],
    footer: [hostile],
  });
  expect(written).not.toContain('<img');
  expect(written).not.toContain('onerror="alert');
  expect(written).not.toContain('\u202e');
  expect(written).not.toContain('\u0000');
  expect(written.match(/<script>/g)).toHaveLength(1);
  expect(written.match(/<\/script>/g)).toHaveLength(1);
  expect(written).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
});

it('refers to nothing outside itself, and forbids it', () => {
  const written = page({
    title: 'A report',
    kicker: 'Status',
    subject: 's3://bucket/lake',
    verdict: { tone: 'good', say: 'All is well', why: '' },
    figures: [],
    sections: [],
    footer: [],
  });
  expect(written).toContain("default-src 'none'");
  expect(written).not.toMatch(/(?:src|href)=["'](?!#|data:)/);
  expect(written).not.toMatch(/url\(["']?(?!#)/);
  expect(written).not.toContain('@import');
});

it('leaves out null and false, joins lists, and refuses code that would close its element', () => {
  expect(html`${null}${false}${['a', html`<b>${'<'}</b>`]}${0}`.text).toBe('a<b>&lt;</b>0');
  expect(() => ownCode('</script>')).toThrow('closing tag');
});
