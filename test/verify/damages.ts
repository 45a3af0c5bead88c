/** Kinds of damage: what each does to a copy of a lake, and what `verify` must find. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { serializeRecord } from '../../src/lake/lake-record.ts';
import { bucketOf } from '../../src/lake/layout.ts';
import {
  editFooter,
  editManifest,
  editStatistics,
  forgeChain,
  keysIn,
  manifestAt,
  manifestsIn,
  remove,
  rewritePart,
  sha256Of,
} from './damage.ts';

/** The key of a part with several rows: the nth of these. */
export function part(lake: string, nth = 0): string {
  const rows = new Map(
    manifestsIn(lake)
      .flatMap((key) => manifestAt(lake, key).parts)
      .map((one) => [one.key, one.rows]),
  );
  const keys = keysIn(lake, 'copy_jobs').filter((key) => (rows.get(key) ?? 0) >= 3);
  return at(keys, nth);
}

export function dayOf(key: string): string {
  return /creation_date=([^/]*)/.exec(key)?.[1] ?? '';
}

export function at<T>(list: readonly T[], nth: number): T {
  const found = list.at(nth);
  if (found === undefined) throw new Error('the lake is smaller than that');
  return found;
}

/** A part that one manifest names and a later one names again, with its earlier bytes. */
export function replacedPart(lake: string): string {
  const seen = new Set<string>();
  for (const manifest of manifestsIn(lake)) {
    for (const { key } of manifestAt(lake, manifest).parts) {
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  throw new Error('no part was replaced');
}

const edit = (lake: string, key: string, change: (text: string) => string): void => {
  const file = join(lake, key);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`${key} was not changed`);
  writeFileSync(file, after);
};
/** What each damage does to a copy of the lake, and the findings that it must give: these and no others. */
export type Damage = (lake: string) => readonly string[] | Promise<readonly string[]>;

/** A key whose run has an id just before that of this one. */
function runBefore(key: string): string {
  return key.replace(/-7([0-9a-f]{3})-/, (_, digits: string) => {
    const before = Number.parseInt(digits, 16) - 1;
    return `-7${before.toString(16).padStart(3, '0')}-`;
  });
}

export const damages: Readonly<Record<string, Damage>> = {
  'a part was deleted': (lake) => {
    const key = part(lake);
    remove(lake, key);
    return [`part-missing ${key}`];
  },
  'two parts were swapped': (lake) => {
    const [one, other] = [part(lake, 0), part(lake, 1)];
    renameSync(join(lake, one), join(lake, 'aside'));
    renameSync(join(lake, other), join(lake, one));
    renameSync(join(lake, 'aside'), join(lake, other));
    return [`part-misplaced ${one}`, `part-misplaced ${other}`];
  },
  'a part was copied to a day that has none': (lake) => {
    const key = part(lake).replace(/creation_date=[^/]*/, 'creation_date=2026-01-01');
    mkdirSync(dirname(join(lake, key)), { recursive: true });
    cpSync(join(lake, part(lake)), join(lake, key));
    return [`part-misplaced ${key}`];
  },
  'a part was cut': (lake) => {
    const key = part(lake);
    truncateSync(join(lake, key), 1000);
    return [`part-unreadable ${key}`];
  },
  'a part is empty': (lake) => {
    const key = part(lake);
    truncateSync(join(lake, key), 0);
    return [`part-unreadable ${key}`];
  },
  'a byte of a page was changed': (lake) => {
    const key = part(lake);
    const bytes = readFileSync(join(lake, key));
    bytes.writeUInt8(bytes.readUInt8(40) ^ 0xff, 40);
    writeFileSync(join(lake, key), bytes);
    return [`part-unreadable ${key}`, `part-changed ${key}`];
  },
  'a foreign file lies beside a part': (lake) => {
    const key = `${dirname(part(lake))}/copy of part.parquet`;
    cpSync(join(lake, part(lake)), join(lake, key));
    return [`foreign-object ${key}`];
  },
  'a part of a bucket that does not exist was added': (lake) => {
    const key = `${dirname(part(lake))}/part-00002.parquet`;
    cpSync(join(lake, part(lake)), join(lake, key));
    return [`foreign-object ${key}`];
  },
  'a part is a symbolic link': (lake) => {
    const key = part(lake);
    renameSync(join(lake, key), join(lake, 'elsewhere'));
    symlinkSync(join(lake, 'elsewhere'), join(lake, key));
    return [`symbolic-link ${key}`];
  },
  'a partition is a symbolic link': (lake) => {
    const folder = dirname(part(lake));
    renameSync(join(lake, folder), join(lake, 'elsewhere'));
    symlinkSync(join(lake, 'elsewhere'), join(lake, folder));
    return [
      'symbolic-link copy_jobs/',
      ...keysIn(lake, 'elsewhere').map((key) => `symbolic-link ${key.replace('elsewhere', folder)}`),
    ];
  },
  'a part without a run was added': async (lake) => {
    const key = part(lake).replace(/creation_date=[^/]*/, 'creation_date=2026-01-01');
    mkdirSync(dirname(join(lake, key)), { recursive: true });
    cpSync(join(lake, part(lake)), join(lake, key));
    const days = (Date.parse(dayOf(part(lake))) - Date.parse('2026-01-01')) / 86_400_000;
    await rewritePart(
      lake,
      key,
      `SELECT * REPLACE ('f' || copy_job_id AS copy_job_id, (creation_time - INTERVAL ${days} DAY)::TIMESTAMP_MS AS creation_time,
         duration_ms + ${days * 86_400_000} AS duration_ms) FROM part`,
    );
    editFooter(lake, key, (footer) => {
      for (const pair of footer.key_value_metadata ?? []) {
        if (pair.key === 'partition') pair.value = 'creation_date=2026-01-01';
        if (pair.key === 'run_id') pair.value = '01a00000-0000-7000-8000-000000000000';
      }
    });
    return [`part-unexplained ${key}`];
  },
  'a manifest was deleted': (lake) => {
    const key = at(manifestsIn(lake), 1);
    remove(lake, key);
    return [`manifest-missing ${key}`];
  },
  'the newest manifest was deleted': (lake) => {
    const key = at(manifestsIn(lake), -1);
    remove(lake, key);
    return [`manifest-missing ${key}`];
  },
  'a manifest was edited': (lake) => {
    const key = at(manifestsIn(lake), 1);
    editManifest(lake, key, (content) => ({ ...content, exit_code: 0 }));
    return [`manifest-changed ${key}`];
  },
  'a manifest is no JSON': (lake) => {
    const key = at(manifestsIn(lake), 1);
    truncateSync(join(lake, key), 100);
    return [`manifest-changed ${key}`];
  },
  'a manifest was added': (lake) => {
    const first = at(manifestsIn(lake), 0);
    const forged = runBefore(first);
    cpSync(join(lake, first), join(lake, forged));
    cpSync(
      join(lake, first.replace('.json', '.begin.json')),
      join(lake, forged.replace('.json', '.begin.json')),
    );
    const runId = forged.slice(-41, -5);
    edit(lake, forged.replace('.json', '.begin.json'), (text) =>
      text.replace(/"run_id": "[^"]*"/, `"run_id": "${runId}"`),
    );
    editManifest(lake, forged, (content) => ({ ...content, run_id: runId, parts: [], previous: [] }));
    return [`manifest-unchained ${forged}`];
  },
  'a begin record was deleted': (lake) => {
    const key = at(manifestsIn(lake), 1).replace('.json', '.begin.json');
    remove(lake, key);
    return [`begin-record-missing ${key}`];
  },
  'the newest begin record is no JSON': (lake) => {
    const key = at(manifestsIn(lake), -1).replace('.json', '.begin.json');
    truncateSync(join(lake, key), 50);
    return [`begin-record-changed ${key}`];
  },
  'an older begin record is no JSON': (lake) => {
    const key = at(manifestsIn(lake), 0).replace('.json', '.begin.json');
    truncateSync(join(lake, key), 50);
    return [`begin-record-changed ${key}`];
  },
  'an older begin record was edited': (lake) => {
    const key = at(manifestsIn(lake), 0).replace('.json', '.begin.json');
    edit(lake, key, (text) => text.replace(/"account_id": "\d+"/, '"account_id": "999999999999"'));
    return [`begin-record-changed ${key}`];
  },
  'files that are none of this program’s lie in the ledger': (lake) => {
    const keys = [
      '_ledger/.DS_Store',
      '_ledger/acknowledged/2026-11-20/notes.json',
      '_ledger/backup/lake.json',
      '_ledger/checkpoints/00000/00000002 (copy).json',
      '_ledger/creation-dates/notes.bin',
      '_ledger/lake-state/old.tsv',
      '_ledger/rejected/2026-11-20/notes.ndjson',
      '_ledger/runs/notes.json',
      '_ledger/watermarks/notes.json',
    ];
    for (const key of keys) {
      mkdirSync(dirname(join(lake, key)), { recursive: true });
      writeFileSync(join(lake, key), 'x');
    }
    return keys.map((key) => `foreign-object ${key}`);
  },
  'the newest manifest was edited': (lake) => {
    const key = at(manifestsIn(lake), -1);
    editManifest(lake, key, (content) => ({
      ...content,
      parts: content.parts.map((one) => ({ ...one, sha256: one.sha256.replace(/^./, 'f') })),
    }));
    return [`manifest-changed ${key}`];
  },
  'a coverage file was deleted': (lake) => {
    const { key } = manifestAt(lake, at(manifestsIn(lake), 1)).coverage;
    remove(lake, key);
    return [`coverage-missing ${key}`];
  },
  'a coverage file was edited': async (lake) => {
    const { key } = manifestAt(lake, at(manifestsIn(lake), 1)).coverage;
    await rewritePart(lake, key, `SELECT * REPLACE ('OK' AS status) FROM part`);
    return [`coverage-changed ${key}`];
  },
  'the rejected records were deleted': (lake) => {
    const key = at(keysIn(lake, '_ledger/rejected'), 0);
    remove(lake, key);
    return [`rejected-missing ${key}`];
  },
  'the rejected records were edited': (lake) => {
    const key = at(keysIn(lake, '_ledger/rejected'), 0);
    edit(lake, key, (text) => text.toUpperCase());
    return [`rejected-changed ${key}`];
  },
  'lake.json was edited': (lake) => {
    edit(lake, '_ledger/lake.json', (text) => text.replace('"buckets": 2', '"buckets": 4'));
    return ['lake-record-changed _ledger/lake.json'];
  },
  'lake.json was written anew with another number of buckets': (lake) => {
    const record = JSON.parse(readFileSync(join(lake, '_ledger/lake.json'), 'utf8'));
    const { sha256: _, ...rest } = record;
    writeFileSync(join(lake, '_ledger/lake.json'), serializeRecord({ ...rest, buckets: 4 }));
    return ['lake-record-changed _ledger/lake.json'];
  },
  'lake.json was deleted': (lake) => {
    remove(lake, '_ledger/lake.json');
    return ['lake-record-missing _ledger/lake.json'];
  },
  'a watermark was moved forward': (lake) => {
    const key = '_ledger/watermarks/00000.json';
    edit(lake, key, (text) => text.replace(/"covered_to": "2026-11-2\d/, '"covered_to": "2026-11-29'));
    return [`watermark-unproven ${key}`];
  },
  'a watermark was moved backward': (lake) => {
    const key = '_ledger/watermarks/00001.json';
    edit(lake, key, (text) => text.replace(/"covered_from": "2026-/, '"covered_from": "2025-'));
    return [`watermark-unproven ${key}`];
  },
  'the last full reading was set to a later time': (lake) => {
    const key = '_ledger/watermarks/00000.json';
    edit(lake, key, (text) =>
      text.replace(
        /"covered_to": ("[^"]*")([^}]*)"full_at": "2026-11-20[^"]*"/s,
        '"covered_to": $1$2"full_at": $1',
      ),
    );
    return [`watermark-unproven ${key}`];
  },
  'a file of creation dates was changed': (lake) => {
    const key = '_ledger/creation-dates/00000.bin';
    const bytes = readFileSync(join(lake, key));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(join(lake, key), bytes);
    return [`creation-dates-unreadable ${key}`];
  },
  'a file of creation dates was written anew with other days': (lake) => {
    const key = '_ledger/creation-dates/00000.bin';
    const bytes = readFileSync(join(lake, key));
    const entries = bytes.subarray(bytes.indexOf('\n') + 1);
    // Each entry: 12 bytes of a hash, and the time as a double.
    for (let at = 12; at < entries.length; at += 20)
      entries.writeDoubleBE(entries.readDoubleBE(at) - 86_400_000, at);
    const sha256 = createHash('sha256').update(entries).digest('hex');
    const head = `${JSON.stringify({ format: 1, whole: true, sha256 })}\n`;
    writeFileSync(join(lake, key), Buffer.concat([Buffer.from(head), entries]));
    return [`creation-dates-wrong ${key}`];
  },
  'a file of watermarks is no JSON': (lake) => {
    const key = '_ledger/watermarks/00000.json';
    truncateSync(join(lake, key), 20);
    return [`watermarks-unreadable ${key}`];
  },
  'a file lies among the records of the runs': (lake) => {
    const key = `${dirname(at(manifestsIn(lake), 0))}/notes.txt`;
    writeFileSync(join(lake, key), 'x');
    return [`foreign-object ${key}`];
  },
};

/** Rows and footers that no part may have, whatever the ledger says. */
export const contents: Readonly<
  Record<
    string,
    { readonly kind: string; readonly make: (lake: string, key: string) => void | Promise<void> }
  >
> = {
  'a row is there twice': {
    kind: 'rows-doubled',
    make: (lake, key) =>
      rewritePart(
        lake,
        key,
        'FROM part UNION ALL (FROM part LIMIT 1) ORDER BY account_id, region, creation_time, copy_job_id',
      ),
  },
  'a row belongs to another day': {
    kind: 'rows-of-another-partition',
    make: (lake, key) =>
      rewritePart(
        lake,
        key,
        `SELECT * REPLACE (CASE WHEN rowid = 0 THEN (creation_time - INTERVAL 1 DAY)::TIMESTAMP_MS ELSE creation_time END AS creation_time,
           CASE WHEN rowid = 0 THEN duration_ms + 86400000 ELSE duration_ms END AS duration_ms)
         FROM part ORDER BY account_id, region, creation_time, copy_job_id`,
      ),
  },
  'a row belongs to another bucket': {
    kind: 'rows-of-another-bucket',
    make: async (lake, key) => {
      const other = key.endsWith('0.parquet') ? '' : '0';
      // Of ten accounts, some belong to the other bucket.
      const stray = ['1', '2', '3', '4', '5', '6', '7', '8']
        .map((digit) => digit.repeat(12))
        .find((id) => bucketOf(id, 2) === (other === '0' ? 0 : 1));
      await rewritePart(
        lake,
        key,
        `SELECT * REPLACE (CASE WHEN rowid = 0 THEN '${stray}' ELSE account_id END AS account_id)
        FROM part ORDER BY account_id, region, creation_time, copy_job_id`,
      );
    },
  },
  'the rows are not in order': {
    kind: 'rows-unsorted',
    make: (lake, key) =>
      rewritePart(lake, key, 'FROM part ORDER BY account_id DESC, region, creation_time DESC, copy_job_id'),
  },
  'a column is missing': {
    kind: 'schema-wrong',
    make: (lake, key) => rewritePart(lake, key, 'SELECT * EXCLUDE (status_message) FROM part'),
  },
  'a column is unknown': {
    kind: 'schema-wrong',
    make: (lake, key) => rewritePart(lake, key, `SELECT *, 'x' AS note FROM part`),
  },
  'a column has another type': {
    kind: 'schema-wrong',
    make: (lake, key) =>
      rewritePart(
        lake,
        key,
        'SELECT * REPLACE (backup_size_in_bytes::VARCHAR AS backup_size_in_bytes) FROM part',
      ),
  },
  'a derived column is wrong': {
    kind: 'derived-wrong',
    make: (lake, key) =>
      rewritePart(lake, key, 'SELECT * REPLACE (NOT is_terminal AS is_terminal) FROM part'),
  },
  'a minimum is wrong': {
    kind: 'statistics-wrong',
    make: (lake, key) =>
      editStatistics(lake, key, 'creation_time', (statistics) => {
        statistics.min_value = statistics.max_value;
        statistics.min = statistics.max;
      }),
  },
  'a count of nulls is wrong': {
    kind: 'statistics-wrong',
    make: (lake, key) =>
      editStatistics(lake, key, 'copy_job_id', (statistics, footer) => {
        statistics.null_count = footer.num_rows;
      }),
  },
  'a maximum of text beyond ASCII is wrong': {
    kind: 'statistics-wrong',
    make: async (lake, key) => {
      // In UTF-16 units, the emoji comes first; in UTF-8 bytes, last.
      await rewritePart(
        lake,
        key,
        `SELECT * REPLACE (CASE WHEN rowid = 0 THEN '😀' ELSE '｡' END AS resource_name) FROM part`,
      );
      editStatistics(lake, key, 'resource_name', (statistics) => {
        [statistics.min_value, statistics.max_value] = [statistics.max_value, statistics.min_value];
        [statistics.min, statistics.max] = [statistics.max, statistics.min];
      });
    },
  },
};

/** Makes the bytes that lie there now those of the first write of this part. */
export function forgeEarlier(lake: string, key: string): void {
  const first = manifestsIn(lake).find((one) => manifestAt(lake, one).parts.some((each) => each.key === key));
  if (first === undefined) throw new Error(`no manifest names ${key}`);
  editManifest(lake, first, (content) => ({
    ...content,
    parts: content.parts.map((one) =>
      one.key === key ? { ...one, sha256: sha256Of(join(lake, key)) } : one,
    ),
  }));
  forgeChain(lake);
}
