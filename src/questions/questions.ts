/** Loads the views and the named questions from the folder `queries`, which ships with the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../shared/program-package.ts';
import { type ComputedColumn, type Parameter, type Reads, readQueryFile } from './query-file.ts';
import { identifiersOf, parametersOf } from './sql-tokens.ts';

/** One SELECT over the tables and earlier views; becomes `CREATE VIEW name AS sql`. */
export interface View {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Columns that no table has. */
  readonly columns: readonly ComputedColumn[];
  readonly sql: string;
}

/** One SELECT over tables and views, with `:name` for each parameter; see {@link questionSql}. */
export interface Question {
  readonly name: string;
  readonly title: string;
  /** A paragraph on how to read the result. */
  readonly about: string;
  readonly parameters: readonly Parameter[];
  readonly reads: Reads;
  readonly sql: string;
}

/** Every view, each after the views that it reads. */
export function loadViews(): readonly View[] {
  const views = filesOf('views').map(({ name, text }) => {
    const { title, about, parameters, columns, sql } = readQueryFile(name, text);
    if (parameters.length > 0 || parametersOf(sql).size > 0) {
      throw new Error(`The view ${name} has a parameter. Only questions may have one.`);
    }
    return { name, title, about, columns, sql };
  });
  return inOrder(views);
}

/** Every question, by name. */
export function loadQuestions(): readonly Question[] {
  return filesOf('questions').map(({ name, text }) => {
    const { title, about, parameters, reads, sql } = readQueryFile(name, text);
    if (reads === null) throw new Error(`The question ${name} does not say which days it reads.`);
    const question = { name, title, about, parameters, reads, sql };
    const used = [...parametersOf(question.sql)].sort().join(', ');
    const said = question.parameters
      .map((parameter) => parameter.name)
      .sort()
      .join(', ');
    if (used !== said) {
      throw new Error(`The question ${name} uses the parameters “${used}” but declares “${said}”.`);
    }
    return question;
  });
}

/** Sorts views so that each comes after the views that it reads. */
function inOrder(views: readonly View[]): readonly View[] {
  const byName = new Map(views.map((view) => [view.name, view]));
  const done = new Set<View>();
  const visit = (view: View, path: readonly string[]): void => {
    if (done.has(view)) return;
    if (path.includes(view.name))
      throw new Error(`Views read each other: ${[...path, view.name].join(' → ')}`);
    for (const name of identifiersOf(view.sql)) {
      const needed = byName.get(name);
      if (needed !== undefined) visit(needed, [...path, view.name]);
    }
    done.add(view);
  };
  for (const view of views) visit(view, []);
  return [...done];
}

function filesOf(kind: 'views' | 'questions'): readonly { name: string; text: string }[] {
  const folder = join(packageFolder(), 'queries', kind);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.sql'.length),
      text: readFileSync(join(folder, file), 'utf8'),
    }));
}

/** The names of all parameters of all questions. */
export function parameterNames(): readonly string[] {
  return [...new Set(loadQuestions().flatMap(({ parameters }) => parameters.map(({ name }) => name)))].sort();
}
