/** A DuckDB database in memory, with a folder for what does not fit. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { EngineError } from '../../shared/errors.ts';
import type { Claim } from '../scratch.ts';

export interface DuckDbOptions {
  /** DuckDB's own limit. It applies to DuckDB's buffers; the process needs a little more. */
  readonly memoryLimitBytes: number;
  /** An existing folder for data that does not fit into memory. `close` empties it. */
  readonly scratch: string;
  /** Reserves space there for one merge. Default: as much as the disk has. */
  readonly claim?: () => Claim;
  /** Default 1: parts are small, and each further thread needs a third more memory and processor time. */
  readonly threads?: number;
  /** Up to how many rows, published and staged together, are merged in JavaScript's memory. Default 3,000. */
  readonly rowsInMemory?: number;
  /** How many small merges run at once, and share the memory of one. Default 1. */
  readonly mergesAtOnce?: number;
}

/** @throws EngineError when scratch cannot be written */
export async function openDatabase(options: DuckDbOptions): Promise<Database> {
  // Two databases must not share a folder: DuckDB names its files there by number.
  const spill = await mkdtemp(join(options.scratch, 'duckdb-')).catch((error: unknown) => {
    throw new EngineError(
      `The scratch folder ${options.scratch} cannot be written`,
      'Set --scratch to a writable folder on a disk with enough free space.',
      { cause: error },
    );
  });
  return new Database(options, spill);
}

/** How often freed memory goes back to the operating system. */
const returnMemoryMs = 4_000;

/**
 * Small merges share a database, because starting one takes a quarter of the time of a small merge. A database that made a
 * large merge is closed, because it would keep much of the memory.
 */
export class Database {
  readonly #options: DuckDbOptions;
  readonly #spill: string;
  #instance: DuckDBInstance | undefined;
  /** The limit that the instance has now. */
  #memoryBytes = 0;
  #limitedAt = 0;
  #kept: DuckDBConnection | undefined;

  constructor(options: DuckDbOptions, spill: string) {
    this.#options = options;
    this.#spill = spill;
  }

  /** Runs one statement, over a connection that stays open. */
  async run(sql: string, memoryBytes: number): Promise<void> {
    this.#kept ??= await this.connect(undefined, memoryBytes);
    await this.#kept.run(sql);
  }

  /** A new connection. Tables that a merge creates belong to its connection, and go when it closes. */
  async connect(room: number | undefined, memoryBytes: number): Promise<DuckDBConnection> {
    this.#instance ??= await DuckDBInstance.create(':memory:', {
      threads: String(this.#options.threads ?? 1),
      temp_directory: this.#spill,
      preserve_insertion_order: 'false',
      // A file that is read once or twice need not be kept in memory.
      enable_external_file_cache: 'false',
      // By default, up to 128 MiB of freed memory stay with the process.
      allocator_flush_threshold: '1MiB',
      // Each flush gives the memory of the whole process back, which it then takes again, page by page.
      allocator_bulk_deallocation_flush_threshold: '64MiB',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    const connection = await this.#instance.connect();
    await this.limitMemory(connection, memoryBytes);
    // DuckDB 1.5 accepts this setting at the start, but ignores it.
    if (room !== undefined) await connection.run(`SET max_temp_directory_size = '${room}B'`);
    return connection;
  }

  /**
   * Sets DuckDB's limit, for all connections. DuckDB then gives back all freed memory of the whole process, which costs up to
   * 50 ms. So a limit that stands already is set again only after a while.
   */
  async limitMemory(connection: DuckDBConnection, memoryBytes: number): Promise<void> {
    const now = performance.now();
    if (memoryBytes === this.#memoryBytes && now - this.#limitedAt < returnMemoryMs) return;
    await connection.run(`SET memory_limit = '${memoryBytes}B'`);
    this.#memoryBytes = memoryBytes;
    this.#limitedAt = now;
  }

  /** The next merge starts a new one. */
  close(): void {
    this.#memoryBytes = 0;
    this.#kept?.closeSync();
    this.#kept = undefined;
    this.#instance?.closeSync();
    this.#instance = undefined;
  }

  async remove(): Promise<void> {
    this.close();
    // Anything left there is removed with the caller's scratch folder.
    await rm(this.#spill, { recursive: true, force: true }).catch(() => undefined);
  }
}
