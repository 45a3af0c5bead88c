/**
 * The look of every report page. Colours come in pairs for both schemes. Each state also has a pattern or a symbol, so
 * that nothing is told by colour alone; the state colours stay apart for the common kinds of colour blindness
 * (https://jfly.uni-koeln.de/color/).
 */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #0f1318);
  --card: light-dark(#ffffff, #171c23);
  --raised: light-dark(#f0f2f5, #1f262f);
  --line: light-dark(#dfe3e9, #2b343f);
  --ink: light-dark(#17202b, #e8edf3);
  --soft: light-dark(#556272, #a3afbd);
  --accent: light-dark(#1d5fa8, #7db8f5);
  --good: light-dark(#0b6b62, #5fc9b8);
  --good-fill: light-dark(#3d9d92, #2f8f83);
  --good-wash: light-dark(#e3f3f0, #12302c);
  --warn: light-dark(#8a4b00, #f2b35b);
  --warn-fill: light-dark(#f0b04a, #d99a35);
  --warn-wash: light-dark(#fdf1dc, #362813);
  --bad: light-dark(#a3241b, #ff9c8f);
  --bad-fill: light-dark(#b3261e, #e5604f);
  --bad-wash: light-dark(#fce8e6, #3b1a17);
  --none-fill: light-dark(#e3e7ec, #28303a);
  --shadow: light-dark(rgb(20 30 45 / 7%), rgb(0 0 0 / 35%));
  --sans: ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif;
  --mono: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'Liberation Mono', monospace;
}
:root[data-scheme='light'] { color-scheme: light; }
:root[data-scheme='dark'] { color-scheme: dark; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 400 15px/1.55 var(--sans); font-variant-numeric: tabular-nums;
}
.frame { max-width: 1160px; margin: 0 auto; padding: 40px 28px 72px; }
a { color: var(--accent); text-underline-offset: 3px; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 16px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 2; }
.top { display: flex; gap: 24px; align-items: flex-start; justify-content: space-between; margin-bottom: 28px; }
.kicker { margin: 0 0 6px; color: var(--soft); font-size: 13px; letter-spacing: .02em; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -.018em; text-wrap: balance; }
.lake { margin: 8px 0 0; color: var(--soft); overflow-wrap: anywhere; }
.scheme {
  flex: none; font: 500 13px var(--sans); color: var(--ink); background: var(--card); border: 1px solid var(--line);
  border-radius: 999px; padding: 7px 14px; cursor: pointer;
}
.scheme:hover { border-color: var(--soft); }
.verdict {
  display: grid; grid-template-columns: auto 1fr; gap: 4px 18px; align-items: center;
  border: 1px solid var(--line); border-left: 6px solid var(--tone); border-radius: 14px;
  background: var(--wash); padding: 20px 24px; margin-bottom: 20px;
}
.verdict svg { grid-row: span 2; width: 38px; height: 38px; color: var(--tone); }
.verdict p { margin: 0; }
.verdict .say { font-size: 20px; line-height: 1.35; font-weight: 600; letter-spacing: -.008em; }
.verdict .why { grid-column: 2; color: var(--ink); text-wrap: pretty; }
.good { --tone: var(--good); --fill: var(--good-fill); --wash: var(--good-wash); }
.warn { --tone: var(--warn); --fill: var(--warn-fill); --wash: var(--warn-wash); }
.bad { --tone: var(--bad); --fill: var(--bad-fill); --wash: var(--bad-wash); }
.plain { --tone: var(--ink); --fill: var(--none-fill); --wash: var(--card); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 32px; }
.figure {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px 13px;
  box-shadow: 0 1px 2px var(--shadow);
}
.figure dt { color: var(--soft); font-size: 13px; line-height: 1.35; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.figure dd { margin: 4px 0 0; }
.figure .n { display: block; font-size: 25px; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; color: var(--tone); }
.figure .of { color: var(--soft); font-size: 13px; line-height: 1.35; display: block; }
section { margin: 0 0 20px; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 22px 24px 24px;
  box-shadow: 0 1px 2px var(--shadow);
}
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 20px; margin-bottom: 20px; }
.pair > section { margin: 0; }
h2 { margin: 0; font-size: 18px; line-height: 1.3; font-weight: 650; letter-spacing: -.01em; }
h3 { margin: 18px 0 6px; font-size: 15px; line-height: 1.35; font-weight: 600; }
.note { margin: 4px 0 16px; color: var(--soft); max-width: 76ch; }
.empty { margin: 0; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { text-align: left; color: var(--soft); padding-bottom: 8px; }
th, td { text-align: left; vertical-align: top; padding: 8px 14px 8px 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; white-space: nowrap; }
tbody th { font-weight: 500; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.t, tbody th.t { white-space: nowrap; }
tr > :last-child { padding-right: 0; }
p.remedy, p.where { margin: 4px 0 0; max-width: 62ch; font-weight: 400; }
p.where { margin: 0; }
.soft { color: var(--soft); }
code, .id { font-family: var(--mono); font-size: .88em; color: var(--soft); overflow-wrap: anywhere; }
.tag {
  display: inline-flex; align-items: center; gap: 5px; padding: 1px 9px 1px 7px; border-radius: 999px; white-space: nowrap;
  background: var(--wash); color: var(--tone); font-size: 12.5px; font-weight: 600; line-height: 1.6;
}
.tag svg { width: 12px; height: 12px; }
details > summary { cursor: pointer; color: var(--accent); padding: 4px 0; width: fit-content; }
details > summary:hover { text-decoration: underline; text-underline-offset: 3px; }
.more { margin-top: 14px; font-size: 14px; }
td .more, th .more { margin-top: 4px; font-size: 13px; }
footer { color: var(--soft); font-size: 13px; margin-top: 32px; }
footer p { margin: 0 0 4px; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  .frame { padding: 22px 14px 48px; }
  .top { flex-direction: column-reverse; gap: 12px; }
  h1 { font-size: 24px; }
  .card, .verdict { padding: 16px; border-radius: 12px; }
}
@media print {
  :root, :root[data-scheme] { color-scheme: light; --page: #fff; --shadow: transparent; }
  body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .frame { max-width: none; padding: 0; }
  .scheme, .skip { display: none; }
  .card, .verdict, .figure { break-inside: avoid; box-shadow: none; }
  .card.long { break-inside: auto; }
  table { font-size: 10.5px; }
  tr { break-inside: avoid; }
}
`;

/** Keeps the chosen scheme. A page opened from a file may have no storage. */
export const pageScript = `
(function () {
  var root = document.documentElement, button = document.querySelector('.scheme'), key = 'backup-copy-export-scheme';
  var prefersDark = matchMedia('(prefers-color-scheme: dark)');
  function kept() { try { return localStorage.getItem(key); } catch (error) { return null; } }
  function isDark() { return root.dataset.scheme ? root.dataset.scheme === 'dark' : prefersDark.matches; }
  function tell() { button.textContent = isDark() ? 'Light colours' : 'Dark colours'; }
  if (kept() === 'light' || kept() === 'dark') root.dataset.scheme = kept();
  button.hidden = false;
  tell();
  prefersDark.addEventListener('change', tell);
  button.addEventListener('click', function () {
    root.dataset.scheme = isDark() ? 'light' : 'dark';
    try { localStorage.setItem(key, root.dataset.scheme); } catch (error) { /* chosen for this time only */ }
    tell();
  });
  addEventListener('beforeprint', function () {
    document.querySelectorAll('details[data-print]:not([open])').forEach(function (one) { one.dataset.opened = ''; one.open = true; });
  });
  addEventListener('afterprint', function () {
    document.querySelectorAll('details[data-opened]').forEach(function (one) { delete one.dataset.opened; one.open = false; });
  });
})();
`;
