/** Reads the objects of the tables, compares them with the ledger, and looks again at those that differ. */
import { parseTableKey, type TableKey, tablePrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { EngineError, LinkError } from '../shared/errors.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import type { Row, Table } from '../tables/table.ts';
import { count, grouped } from '../telemetry/paragraphs.ts';
import type { Write } from './expected-objects.ts';
import { explain, provenWrite } from './explain.ts';
import { glance } from './glance.ts';
import type { Ledger } from './ledger.ts';
import type { Look } from './look.ts';
import { readContent } from './part-content.ts';
import { type Fetched, type FetchedObject, fetchObject, linkText, type ObjectSource } from './read-object.ts';

export interface ObjectsToCheck extends ObjectSource {
  readonly store: Pick<Store, 'download' | 'list' | 'head'>;
  /** Whether parts are only compared by what the store knows of them; coverage files are read all the same. */
  readonly quick: boolean;
  readonly buckets: number;
  readonly look: Look;
  readonly ledger: Ledger;
  /** Whether to read an object; the others only have to be there. */
  readonly isAsked: (place: TableKey) => boolean;
  /** False: the time is up. Asked before each object. */
  readonly mayGoOn: () => boolean;
  /** After each object that was read. */
  readonly onObject: (key: string) => void;
  /** The rows of each object, with these columns besides those of the key. */
  readonly rows?: {
    readonly columns: readonly string[];
    readonly take: (place: TableKey, rows: readonly Row[]) => Promise<void> | void;
  };
}

/** How many objects are fetched before they are read. */
const fetchedAhead = 4;

/** Reads a table's objects in the order of their keys. What is not as the ledger says becomes a suspect. */
export async function checkTable(table: Table, options: ObjectsToCheck): Promise<void> {
  const { look, ledger, buckets, isAsked, mayGoOn, onObject } = options;
  const there = new Set<string>();
  const begin = firstLookOf(table, options);
  const ahead: { readonly place: TableKey; readonly begun: Promise<BegunLook> }[] = [];
  const readNext = async (): Promise<void> => {
    const next = ahead.shift();
    if (next === undefined) return;
    await (await next.begun).finish();
    onObject(next.place.key);
  };
  try {
    for await (const place of placesOf(table, options)) {
      there.add(place.key);
      if (!isAsked(place) || !mayGoOn()) continue;
      const begun = begin(place);
      // Whoever awaits it gets the error. Until then it must not be an unhandled rejection.
      begun.catch(() => undefined);
      ahead.push({ place, begun });
      if (ahead.length >= fetchedAhead) await readNext();
    }
    while (ahead.length > 0) await readNext();
  } finally {
    for (const { begun } of ahead) {
      await begun.then(
        ({ drop }) => drop(),
        () => undefined,
      );
    }
  }
  for (const key of ledger.expected.keys()) {
    if (there.has(key) || !key.startsWith(tablePrefix(table))) continue;
    // Whether it is asked for or not: the names of all objects have been read.
    if (parseTableKey(table, key, buckets) !== null) look.suspects.add(key);
  }
}

/** A look at an object whose requests were sent ahead. */
interface BegunLook {
  finish(): Promise<void>;
  /** Instead of `finish`. */
  drop(): Promise<void>;
}

function firstLookOf(table: Table, options: ObjectsToCheck): (place: TableKey) => Promise<BegunLook> {
  const { look } = options;
  if (options.quick && table.merge.kind !== 'append') {
    return async (place) => {
      const seen = await glance(table, place, options);
      const finish = async (): Promise<void> => {
        if (seen === null) look.suspects.add(place.key);
        else look.countPart(seen.head.size, 0);
      };
      return { finish, drop: async () => undefined };
    };
  }
  return async (place) => {
    const fetched = await fetchObject(options, place.key);
    return {
      finish: () => firstLook(table, place, fetched, options),
      drop: async () => {
        if (fetched.state === 'there') await fetched.object.release();
      },
    };
  };
}

/** The keys of a table's objects. Foreign objects and links become findings. */
async function* placesOf(table: Table, { store, look, ledger, buckets, signal }: ObjectsToCheck) {
  try {
    for await (const key of store.list(tablePrefix(table), {}, signal)) {
      const place = parseTableKey(table, key, buckets);
      if (place === null) look.note('foreign-object', key, `it is not a part of ${table.name}`);
      else {
        if (ledger.expected.get(key) === undefined) look.unnamed.add(key);
        yield place;
      }
    }
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    // Nobody can list what is behind a link. The ledger still knows which objects should be there.
    look.note('symbolic-link', tablePrefix(table), linkText(error));
    for (const key of [...ledger.expected.keys()].sort()) {
      const place = key.startsWith(tablePrefix(table)) ? parseTableKey(table, key, buckets) : null;
      if (place !== null) yield place;
    }
  }
}

async function firstLook(
  table: Table,
  place: TableKey,
  fetched: Fetched,
  options: ObjectsToCheck,
): Promise<void> {
  const { look, ledger } = options;
  if (fetched.state === 'link') look.note('symbolic-link', place.key, fetched.what);
  else if (fetched.state === 'gone') look.suspects.add(place.key);
  else if (fetched.state === 'there') {
    const { object } = fetched;
    try {
      const write = object.found.isAltered ? null : provenWrite(ledger, object.found);
      if (write === null) look.suspects.add(place.key);
      else await readRows(table, place, object, write, options);
    } finally {
      await object.release();
    }
  }
}

/**
 * Reads an object again that was not as the ledger said.
 * @param options with a ledger that was read after the first look, with the histories of these keys
 */
export async function secondLook(table: Table, place: TableKey, options: ObjectsToCheck): Promise<void> {
  const { look, ledger, buckets } = options;
  const { key } = place;
  const fetched = await fetchObject(options, key);
  if (fetched.state === 'link') {
    look.note('symbolic-link', key, fetched.what);
    return;
  }
  if (fetched.state === 'unread') return;
  const object = fetched.state === 'there' ? fetched.object : null;
  look.contents.set(key, object?.found.sha256 ?? null);
  try {
    const explanation = await explain(key, object?.found ?? null, { table, place, buckets }, ledger);
    switch (explanation.state) {
      case 'proven':
        if (object !== null) await readRows(table, place, object, explanation.write, options);
        break;
      case 'unproven':
        look.unproven.add(key);
        if (object !== null) await readRows(table, place, object, null, options);
        break;
      case 'damaged':
        look.add(explanation.finding);
        if (explanation.readRows && object !== null) await readRows(table, place, object, null, options);
        break;
    }
  } finally {
    await object?.release();
  }
}

async function readRows(
  table: Table,
  place: TableKey,
  { found, part }: FetchedObject,
  write: Write | null,
  { look, buckets, rows }: ObjectsToCheck,
): Promise<void> {
  const { key } = place;
  const facts = {
    run_id: found.footer?.get('run_id') ?? null,
    expected: write === null ? null : { sha256: write.sha256, bytes: write.bytes },
  };
  if (part === null) {
    look.note('part-unreadable', key, 'it is not a complete Parquet file', facts);
    return;
  }
  try {
    const content = await readContent(part, {
      table,
      place,
      buckets,
      ...(rows === undefined
        ? {}
        : { extra: rows.columns, onRows: (some: readonly Row[]) => rows.take(place, some) }),
    });
    if (table === exportCoverage) look.counts.coverageFiles += 1;
    else if (table.merge.kind !== 'append') look.countPart(found.bytes, content.rows);
    for (const { kind, what } of content.observations) look.note(kind, key, what, facts);
    if (write?.rows != null && write.rows !== content.rows) {
      look.note(
        'row-count-wrong',
        key,
        `it has ${count(content.rows, 'row')}, and its manifest says ${grouped(write.rows)}`,
        facts,
      );
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    look.note('part-unreadable', key, 'a page of it cannot be decoded', facts);
  }
}
