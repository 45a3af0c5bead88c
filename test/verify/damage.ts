/** Ways to damage a copy of a lake: with its ledger as it was, or with a ledger that was forged to agree. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import { decodeThrift, serializeThrift } from 'parquetjs-lite/lib/util.js';
import type { Manifest } from '../../src/ledger/runs.ts';

/** The keys of a lake's files below a prefix, ascending. */
export function keysIn(lake: string, prefix: string): readonly string[] {
  return readdirSync(join(lake, prefix), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(lake.length + 1))
    .sort();
}

/** Manifests by age, the oldest first. */
export function manifestsIn(lake: string): readonly string[] {
  return keysIn(lake, '_ledger/runs').filter((key) => !key.endsWith('.begin.json'));
}

export function manifestAt(lake: string, key: string): Manifest {
  // Safe: the program wrote it.
  return JSON.parse(readFileSync(join(lake, key), 'utf8')) as Manifest;
}

export function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/**
 * Writes a part anew with other rows, and the footer's metadata as it was.
 * @param select SQL over the table `part`; the order of its rows is kept
 */
export async function rewritePart(lake: string, key: string, select: string): Promise<void> {
  const file = join(lake, key);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const run = (sql: string) => connection.run(sql);
    await run("SET TimeZone = 'UTC'");
    await run('SET threads = 1');
    await run(`CREATE TABLE part AS FROM read_parquet(['${file}'], hive_partitioning = false)`);
    const told = (
      await connection.runAndReadAll(`SELECT decode(key), decode(value) FROM parquet_kv_metadata('${file}')`)
    ).getRows();
    const metadata = told.map(([name, value]) => `"${String(name)}": '${String(value)}'`).join(', ');
    const columns = metadata === '' ? '' : `, KV_METADATA {${metadata}}`;
    await run(`COPY (${select}) TO '${file}' (FORMAT parquet, COMPRESSION zstd${columns})`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

interface Statistics {
  min: unknown;
  max: unknown;
  min_value: unknown;
  max_value: unknown;
  null_count: unknown;
}

/** What the cases edit in a footer. The counts are the library's own 64-bit integers. */
interface Footer {
  readonly num_rows: unknown;
  readonly key_value_metadata: readonly { readonly key: string; value: string }[] | null;
  readonly row_groups: readonly {
    readonly columns: readonly {
      readonly meta_data: { readonly path_in_schema: readonly string[]; readonly statistics: Statistics };
    }[];
  }[];
}

/** Edits the footer of a part; its pages stay as they are. */
export function editFooter(lake: string, key: string, edit: (footer: Footer) => void): void {
  const file = join(lake, key);
  const bytes = readFileSync(file);
  const length = bytes.readUInt32LE(bytes.length - 8);
  const start = bytes.length - 8 - length;
  const decoded = new thrift.FileMetaData();
  decodeThrift(decoded, bytes.subarray(start, start + length));
  // Safe: parquet.thrift has these fields; the library's types name only those that the program uses.
  edit(decoded as unknown as Footer);
  const edited = serializeThrift(decoded);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(edited.length, 0);
  tail.write('PAR1', 4, 'latin1');
  writeFileSync(file, Buffer.concat([bytes.subarray(0, start), edited, tail]));
}

export function editStatistics(
  lake: string,
  key: string,
  column: string,
  edit: (statistics: Statistics, footer: Footer) => void,
): void {
  editFooter(lake, key, (footer) => {
    const chunk = footer.row_groups[0]?.columns.find(
      ({ meta_data: meta }) => meta.path_in_schema[0] === column,
    );
    if (chunk === undefined) throw new Error(`there is no column ${column}`);
    edit(chunk.meta_data.statistics, footer);
  });
}

/**
 * Forges the ledger: the newest manifest that names this object names its bytes of now, every later manifest has the right
 * hashes again, and the checkpoints are gone. A ledger without signatures cannot show this.
 */
export function forgeLedger(lake: string, key: string, rows?: number): void {
  const file = join(lake, key);
  const manifest = manifestsIn(lake).findLast((one) => {
    const { parts, coverage } = manifestAt(lake, one);
    return coverage.key === key || parts.some((part) => part.key === key);
  });
  if (manifest === undefined) throw new Error(`no manifest names ${key}`);
  const sha256 = sha256Of(file);
  const bytes = readFileSync(file).length;
  editManifest(lake, manifest, (content) => ({
    ...content,
    parts: content.parts.map((part) =>
      part.key === key ? { ...part, sha256, bytes, etag_after: sha256, rows: rows ?? part.rows } : part,
    ),
    coverage: content.coverage.key === key ? { ...content.coverage, sha256 } : content.coverage,
  }));
  forgeChain(lake);
}

export function editManifest(lake: string, key: string, edit: (manifest: Manifest) => Manifest): void {
  writeFileSync(join(lake, key), `${JSON.stringify(edit(manifestAt(lake, key)), null, 1)}\n`);
}

/** Gives every manifest the right hashes of those that it names, and removes the checkpoints. */
export function forgeChain(lake: string): void {
  for (const folder of ['checkpoints', 'lake-state'])
    rmSync(join(lake, '_ledger', folder), { recursive: true });
  for (const key of manifestsIn(lake)) {
    editManifest(lake, key, (content) => ({
      ...content,
      previous: content.previous.map((link) => ({ ...link, sha256: sha256Of(join(lake, link.key)) })),
    }));
  }
}

export function remove(lake: string, key: string): void {
  rmSync(join(lake, key));
}
