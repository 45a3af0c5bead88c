/** What the docs name exists: npm scripts, and files and folders of the repository. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'));
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort();

test.each(pages)('%s names no npm script that does not exist', (page) => {
  const named = [...read(page).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

// A changelog names what there was. A name with “your-” in it stands for any.
test.each(pages.filter((page) => page !== 'CHANGELOG.md'))(
  '%s names no file or folder that does not exist',
  (page) => {
    const path = /`((?:bench|deploy|docs|jobs|queries|scripts|src|test)\/[\w./-]*)`/g;
    const named = [...read(page).matchAll(path)].map(([, name = '']) => name);
    expect(named.filter((name) => !name.includes('your-') && !existsSync(`${root}${name}`))).toEqual([]);
  },
);

test.each(pages.filter((page) => page !== 'CHANGELOG.md'))(
  '%s runs the program from the clone, and names the bucket as all pages do',
  (page) => {
    // After docker run, the name of the image stands on a line of its own, indented.
    const commands = read(page).match(/^(?:[\d*/]+ .* )?backup-copy-export [a-z]+ .*--.*$/gm) ?? [];
    expect(commands).toEqual([]);
    expect(read(page)).not.toMatch(/s3:\/\/(?!YOUR-)your-/i);
  },
);
