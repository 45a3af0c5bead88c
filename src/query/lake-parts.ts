/** The parts of a lake that a query reads: found by listing, and made files that the engine can open. */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import pLimit from 'p-limit';
import { LakeError } from '../errors.ts';
import { tablePrefix } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import type { Store } from '../lake/stores/store.ts';
import type { Table } from '../tables/table.ts';
import { type Days, isWithin } from './days.ts';

/** A part as a local file. */
export interface Part {
  readonly key: string;
  readonly file: string;
}

export interface FoundParts {
  readonly keys: readonly string[];
  /** The days of those that are left out, ascending. */
  readonly leftOut: readonly string[];
  /** The last day of all; null when there is no part. */
  readonly newest: string | null;
  /** Objects below the table that are no parts of it, and are not read here; Athena would read them. */
  readonly strangers: readonly string[];
}

const downloadsAtOnce = 8;

/** The keys of a table's parts within the days, ascending. */
export async function findParts(
  store: Pick<Store, 'list'>,
  table: Table,
  days: Days,
  signal?: AbortSignal,
): Promise<FoundParts> {
  const keys: string[] = [];
  const strangers: string[] = [];
  const leftOut = new Set<string>();
  let newest: string | null = null;
  const form = partForm(table);
  for await (const key of store.list(tablePrefix(table), {}, signal)) {
    const day = form.exec(key)?.groups?.day;
    if (day === undefined) {
      strangers.push(key);
      continue;
    }
    if (newest === null || day > newest) newest = day;
    if (isWithin(day, days)) keys.push(key);
    else leftOut.add(day);
  }
  return { keys, leftOut: [...leftOut].sort(), newest, strangers };
}

/** Every table's last partition is its UTC day. */
function partForm({ name, partitions }: Table): RegExp {
  const folders = partitions.map((partition, at) =>
    at === partitions.length - 1
      ? `${partition.name}=(?<day>\\d{4}-\\d\\d-\\d\\d)/`
      : `${partition.name}=[\\w.-]+/`,
  );
  return new RegExp(`^${name}/${folders.join('')}[\\w.-]+\\.parquet$`);
}

/**
 * The files of a local lake, where they lie.
 * @throws LakeError for a part that a link in the lake leads to elsewhere
 */
export async function localParts(folder: string, keys: readonly string[]): Promise<readonly Part[]> {
  const root = await realpath(folder).catch(() => folder);
  const checked = new Set<string>();
  const parts: Part[] = [];
  for (const key of keys) {
    const file = join(folder, ...key.split('/'));
    const parent = dirname(file);
    if (!checked.has(parent)) {
      const real = await realpath(parent).catch(() => null);
      if (real !== null && !real.startsWith(root + sep)) {
        throw new LakeError(
          `${parent} in the lake ${folder} is a link to a place outside it`,
          'Remove the link, or move what it leads to into the lake.',
        );
      }
      checked.add(parent);
    }
    parts.push({ key, file });
  }
  return parts;
}

/**
 * Downloads the parts into scratch.
 * @returns null when one of them is gone since it was listed
 * @throws ScratchError when they are more than scratch may hold
 */
export async function downloadParts(
  store: Pick<Store, 'download'>,
  keys: readonly string[],
  scratch: Pick<Scratch, 'reserve'>,
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly parts: readonly Part[]; readonly bytes: number } | null> {
  const limit = pLimit({ concurrency: downloadsAtOnce, rejectOnClear: true });
  let bytes = 0;
  const fetch = async (key: string): Promise<Part | null> => {
    const file = join(folder, ...key.split('/'));
    await mkdir(dirname(file), { recursive: true });
    const found = await store.download(key, file, signal);
    if (found === null) return null;
    scratch.reserve(found.size);
    bytes += found.size;
    return { key, file };
  };
  try {
    const fetched = await Promise.all(keys.map((key) => limit(() => fetch(key))));
    const parts = fetched.filter((part) => part !== null);
    return parts.length === fetched.length ? { parts, bytes } : null;
  } finally {
    limit.clearQueue();
  }
}
