/**
 * The state of a lake: every part, coverage file, manifest and file of rejected records, with its SHA-256. It is kept in
 * pages of a month. A page lies under its own Merkle root and never changes, so a run writes only the pages that it changed.
 */
import { randomUUID } from 'node:crypto';
import { statePageKey } from '../lake/layout.ts';
import { compareKeys } from '../lake/stores/key.ts';
import type { Store } from '../lake/stores/store.ts';
import type { PageSummary } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { merkleRoot } from './merkle.ts';

/** One object of the lake. */
export interface StateEntry {
  readonly key: string;
  readonly sha256: string;
  /** Null: an older program did not write it down. */
  readonly bytes: number | null;
  readonly rows: number | null;
}

/** The page that an object belongs to: its key up to the month, for example `copy_jobs/creation_date=2026-11`. */
export function pageOf(key: string): string {
  return /^.*?\d{4}-\d\d(?=-\d\d\/)/.exec(key)?.[0] ?? key.slice(0, key.lastIndexOf('/') + 1);
}

/** A line of a page, and what its leaf of the Merkle tree hashes: SHA-256, bytes, rows and key, parted by tabs. */
function lineOf({ sha256, bytes, rows, key }: StateEntry): string {
  return `${sha256}\t${bytes ?? '-'}\t${rows ?? '-'}\t${key}`;
}

function parseLine(line: string): StateEntry {
  const [sha256 = '', bytes = '', rows = '', key = ''] = line.split('\t');
  return { key, sha256, bytes: count(bytes), rows: count(rows) };
}

function count(text: string): number | null {
  return text === '-' ? null : Number(text);
}

/** Whether these are the bytes of the page with this root. */
export function isPage(bytes: Uint8Array, root: string): boolean {
  return merkleRoot(linesOf(bytes)) === root;
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1);
}

/** @throws CheckpointError when the page is gone, or is not the one that the checkpoint names */
export async function readPage(
  store: Pick<Store, 'read' | 'url'>,
  { name, root }: Pick<PageSummary, 'name' | 'root'>,
  signal?: AbortSignal,
): Promise<readonly StateEntry[]> {
  const key = statePageKey(root);
  const found = await store.read(key, signal);
  if (found === null) throw pageError(store.url, key, 'is gone');
  const lines = linesOf(found.bytes);
  if (merkleRoot(lines) !== root) throw pageError(store.url, key, 'was changed: its Merkle root is another');
  const entries = lines.map(parseLine);
  if (entries.some((entry) => pageOf(entry.key) !== name))
    throw pageError(store.url, key, `is not of ${name}`);
  return entries;
}

function pageError(url: string, key: string, what: string): CheckpointError {
  return new CheckpointError(
    `${key} in ${url} ${what}`,
    'Restore its earlier version (docs/recovery.md), and find out who changed it.',
  );
}

/** Reads pages when they are needed, and writes those that were changed. */
export class LakeState {
  readonly #store: Store;
  readonly #signal: AbortSignal;
  readonly #summaries: Map<string, PageSummary>;
  readonly #pages = new Map<string, Promise<Map<string, StateEntry>>>();
  readonly #changed = new Set<string>();

  constructor(store: Store, pages: readonly PageSummary[], signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
    this.#summaries = new Map(pages.map((page) => [page.name, page]));
  }

  async get(key: string): Promise<StateEntry | null> {
    return (await this.#page(pageOf(key))).get(key) ?? null;
  }

  async set(entry: StateEntry): Promise<void> {
    const name = pageOf(entry.key);
    (await this.#page(name)).set(entry.key, entry);
    this.#changed.add(name);
  }

  async remove(key: string): Promise<void> {
    const name = pageOf(key);
    if ((await this.#page(name)).delete(key)) this.#changed.add(name);
  }

  /** Writes the changed pages. A page that is there already is the same one. */
  async write(runId: string): Promise<readonly PageSummary[]> {
    await Promise.all([...this.#changed].map((name) => this.#writePage(name, runId)));
    this.#changed.clear();
    return [...this.#summaries.values()].sort((a, b) => compareKeys(a.name, b.name));
  }

  #page(name: string): Promise<Map<string, StateEntry>> {
    const known = this.#pages.get(name);
    if (known !== undefined) return known;
    const summary = this.#summaries.get(name);
    const read = summary === undefined ? Promise.resolve([]) : readPage(this.#store, summary, this.#signal);
    const page = read.then((entries) => new Map(entries.map((entry) => [entry.key, entry])));
    this.#pages.set(name, page);
    return page;
  }

  async #writePage(name: string, runId: string): Promise<void> {
    const entries = [...(await this.#page(name)).values()].sort((a, b) => compareKeys(a.key, b.key));
    const lines = entries.map(lineOf);
    const root = merkleRoot(lines);
    if (this.#summaries.get(name)?.root === root) return;
    const key = statePageKey(root);
    const put = await this.#store.put(
      {
        key,
        body: { bytes: Buffer.from(`${lines.join('\n')}\n`) },
        condition: { ifAbsent: true },
        writeId: randomUUID(),
        metadata: { 'run-id': runId },
        contentType: 'text/tab-separated-values',
      },
      this.#signal,
    );
    if (!put.written) await readPage(this.#store, { name, root }, this.#signal);
    const sum = (of: (entry: StateEntry) => number | null) =>
      entries.reduce((total, entry) => total + (of(entry) ?? 0), 0);
    this.#summaries.set(name, {
      name,
      root,
      objects: entries.length,
      rows: sum(({ rows }) => rows),
      bytes: sum(({ bytes }) => bytes),
    });
  }
}
