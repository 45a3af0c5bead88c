/** docs/reliability.md: what the long runs found the last time, written by them. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import type { Played } from './play.ts';

const page = new URL('../../docs/reliability.md', import.meta.url);

/** Replaces one section of the page, between its two marks, and leaves the others. */
export async function writeSection(name: string, lines: readonly string[]): Promise<void> {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const text = await readFile(page, 'utf8');
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/reliability.md has no section ${name}`);
  await writeFile(page, `${before}${begin}\n${lines.join('\n')}\n${end}${after}`);
}

/** The date, and the commit that was run; `and changes` where files differ from it. */
export function provenance(): string {
  const git = (...words: string[]) => execFileSync('git', words, { encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short=12', 'HEAD');
  const changed = git('status', '--porcelain', '--', 'src', 'jobs', 'test/faults') !== '';
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit}${changed ? ' and changes' : ''}`;
}

export async function writeFaults(played: readonly Played[], seconds: number): Promise<void> {
  const failed = played.filter(({ failures }) => failures.length > 0).length;
  const seeds = [...new Set(played.map(({ seed }) => seed))].join(', ');
  const kinds = [...new Set(played.map(({ scenario }) => scenario.kind))];
  const lines = [
    '',
    `${provenance()}; seed ${seeds}; ${played.length} scenarios in ${Math.round(seconds / 60)} minutes:`,
    `**${played.length - failed} passed, ${failed} failed**.`,
  ];
  for (const kind of kinds) {
    lines.push(
      '',
      `### ${kind[0]?.toUpperCase()}${kind.slice(1)}`,
      '',
      '| scenario | cause | exit of the hurt runs | outcome |',
      '| --- | --- | --- | --- |',
    );
    const its = played.filter(({ scenario }) => scenario.kind === kind);
    for (const { scenario, ends, failures } of its.sort((a, b) =>
      a.scenario.name < b.scenario.name ? -1 : 1,
    )) {
      const outcome = failures.length === 0 ? 'passed' : '**failed**';
      lines.push(`| ${scenario.name} | ${scenario.cause} | ${ends.join(', ')} | ${outcome} |`);
    }
  }
  await writeSection('faults', [...lines, '']);
}
