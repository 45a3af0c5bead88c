/** The rules of merged-history.ts in DuckDB's SQL. Only jobs with several observations take this way. */
import { terminalStates } from '../../tables/copy-jobs.ts';
import { timeText, unknownBefore } from '../../tables/state-history.ts';
import { quoteText } from './sql-text.ts';

const terminal = `(${terminalStates.map(quoteText)})`;
/** The rank of a sighting among those of its job. The names begin with _, because the key's columns stand beside them. */
const order = '_seen, _terminal, _published DESC, _place, _state, _run, _category, _before, _before_seen';

/** The history that a row has, or would have if an older version wrote it: '' without an observation time. */
function historyOf(row: string): string {
  const text = (name: string) => `url_encode(coalesce(${row}.${name}, ''))`;
  const first = `CASE WHEN ${row}.first_observed_at = ${row}.observed_at THEN '' ELSE ${quoteText(unknownBefore)} END`;
  return `coalesce(${row}.state_history, CASE WHEN ${row}.observed_at IS NULL THEN '' ELSE
    ${text('state')} || '|' || strftime(${row}.observed_at::TIMESTAMP, '%Y-%m-%d %H:%M:%S.%g') || '|' ||
    ${text('run_id')} || '|' || ${text('message_category')} || '|' || ${first} || '|' END)`;
}

/**
 * Creates `histories`: the key and the history (`_history`, null without any observation time) of jobs with several
 * observations. Reads `observations` and `several`, the keys of these jobs.
 * @param keys quoted; @param matches whether the rows `o` and `s` have the same key
 */
export function historiesSql(
  keys: readonly string[],
  matches: string,
  latest: number | undefined,
): readonly string[] {
  const bounded =
    latest === undefined || latest >= 8.64e15
      ? ''
      : ` AND NOT (_published AND _seen > ${quoteText(timeText(Math.floor(latest)))})`;
  const fields = ['_state', '_seen', '_run', '_category', '_before', '_before_seen'].map(
    (name, at) => `split_part(_text, '|', ${at + 1}) AS ${name}`,
  );
  return [
    `CREATE TEMP TABLE sightings AS SELECT *, _state IN ${terminal} AS _terminal FROM (
       SELECT ${keys}, _published, _place, ${fields} FROM (
         SELECT ${keys}, _published, unnest(_texts) AS _text, unnest(range(len(_texts))) AS _place FROM (
           SELECT ${keys}, _published, split(${historyOf('o')}, ',') AS _texts
           FROM observations o SEMI JOIN several s ON ${matches})))
     WHERE _seen <> ''${bounded}
     QUALIFY row_number() OVER (PARTITION BY ${keys}, _seen, _state ORDER BY ${order}) = 1
       AND (_published OR NOT coalesce(list_contains(
         list(_before) FILTER (_published AND _place > 0 AND _before_seen = _seen) OVER (PARTITION BY ${keys}, _seen), _state), false))`,
    `CREATE TEMP TABLE seen AS SELECT *, sum(CASE WHEN _was IS DISTINCT FROM _state THEN 1 ELSE 0 END)
         OVER (PARTITION BY ${keys} ORDER BY _ord) AS _state_ord
     FROM (SELECT *, lag(_state) OVER places AS _was, row_number() OVER places AS _ord
       FROM (SELECT *, min(_seen) FILTER (_terminal) OVER (PARTITION BY ${keys}) AS _end FROM sightings)
       WHERE _terminal OR _end IS NULL OR _seen < _end
       WINDOW places AS (PARTITION BY ${keys} ORDER BY ${order}))`,
    `CREATE TEMP TABLE states AS SELECT *,
       lag(_state) OVER following AS _was, lag(_last_seen) OVER following AS _was_seen
     FROM (SELECT ${keys}, _state_ord, max(_seen) AS _last_seen,
         ${['_state', '_seen', '_run', '_category', '_before', '_before_seen'].map((name) => `arg_min(${name}, _ord) AS ${name}`)}
       FROM seen GROUP BY ${keys}, _state_ord)
     WINDOW following AS (PARTITION BY ${keys} ORDER BY _state_ord)`,
    `INSERT INTO histories SELECT ${keys}, string_agg(
       _state || '|' || _seen || '|' || _run || '|' || _category || '|' ||
       CASE WHEN _was IS NOT NULL THEN _was WHEN _before = ${quoteText(unknownBefore)} THEN _before ELSE '' END || '|' ||
       CASE WHEN _was IS NULL OR (_before_seen > _was_seen AND _before_seen <= _seen) THEN _before_seen ELSE _was_seen END,
       ',' ORDER BY _state_ord)
     FROM states GROUP BY ${keys}`,
    'DROP TABLE sightings',
    'DROP TABLE seen',
    'DROP TABLE states',
  ];
}
