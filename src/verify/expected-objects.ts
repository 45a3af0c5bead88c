/**
 * What every object of the lake should be now, folded from the manifests of all runs. One record for each object is in
 * memory, never its history.
 */
import type { ManifestFacts } from '../ledger/read-runs.ts';

/** One write of an object, as a manifest names it. */
export interface Write {
  readonly runId: string;
  /** Of the run, milliseconds since the epoch. */
  readonly asOf: number;
  readonly sha256: string;
  /** Null: the ledger does not say. */
  readonly bytes: number | null;
  readonly rows: number | null;
  readonly etag: string | null;
  /** The SHA-256 of what it replaced; null: there was nothing, or the ledger does not say. */
  readonly before: string | null;
}

export interface ExpectedObject {
  /**
   * The writes that no other is known to have replaced; usually one. There are several if an unfinished run wrote in
   * between, because nobody recorded what it replaced.
   */
  writes: readonly Write[];
  /** ETags that a later write replaced and that no manifest names, so that an unfinished run wrote them. */
  replaced: readonly string[];
}

export class ExpectedObjects {
  readonly #objects = new Map<string, ExpectedObject>();
  /** Which run removed an object that nobody has written since. */
  readonly #removed = new Map<string, string>();
  /** All writes of some objects, for those whose history is asked for. */
  readonly #histories: Map<string, Write[]>;

  /** @param histories the keys whose whole history is kept */
  constructor(histories: ReadonlySet<string>) {
    this.#histories = new Map([...histories].map((key) => [key, []]));
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  get(key: string): ExpectedObject | undefined {
    return this.#objects.get(key);
  }

  /** The run that removed an object. */
  removedBy(key: string): string | undefined {
    return this.#objects.has(key) ? undefined : this.#removed.get(key);
  }

  history(key: string): readonly Write[] {
    return this.#histories.get(key) ?? [];
  }

  /** The keys for which the ledger names this SHA-256 now. Looks through all objects. */
  keysOf(sha256: string): readonly string[] {
    return [...this.#objects].flatMap(([key, { writes }]) =>
      writes.some((write) => write.sha256 === sha256) ? [key] : [],
    );
  }

  /** Adds what a run wrote. Runs come in the order of their as-of. */
  add(
    asOf: number,
    { run_id: runId, parts, removed, coverage, reconciliation, rejected, begin }: ManifestFacts,
  ): void {
    for (const key of removed) {
      this.#objects.delete(key);
      this.#removed.set(key, runId);
    }
    for (const part of parts) {
      const { key, rows, bytes, sha256, etag_before, etag_after: etag } = part;
      const before = part.sha256_before ?? null;
      this.#write(key, { runId, asOf, sha256, bytes, rows, etag, before }, etag_before);
    }
    const once = { runId, asOf, bytes: null, etag: null, before: null };
    for (const table of [coverage, reconciliation]) {
      if (table === null) continue;
      this.#write(table.key, { ...once, sha256: table.sha256, rows: table.rows }, null);
    }
    if (begin !== undefined) this.#write(begin.key, { ...once, ...begin, rows: null }, null);
    if (rejected !== null) this.#write(rejected.key, { ...once, sha256: rejected.sha256, rows: null }, null);
  }

  #write(key: string, write: Write, before: string | null): void {
    this.#histories.get(key)?.push(write);
    const { writes = [], replaced = [] } = this.#objects.get(key) ?? {};
    const left = writes.filter(({ etag }) => etag === null || etag !== before);
    // A run that began later may have come first.
    const isReplaced = write.etag !== null && replaced.includes(write.etag);
    const isKnown = before === null || left.length < writes.length;
    this.#objects.set(key, {
      writes: isReplaced ? left : [...left, write],
      replaced: [
        ...replaced.filter((etag) => !isReplaced || etag !== write.etag),
        ...(isKnown || before === null ? [] : [before]),
      ],
    });
  }
}
