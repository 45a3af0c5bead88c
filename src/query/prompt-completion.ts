/** Tab completion at the prompt. */

const keywords =
  'SELECT FROM WHERE GROUP BY ORDER LIMIT OFFSET HAVING QUALIFY WITH AS JOIN LEFT RIGHT FULL INNER CROSS ON USING AND OR NOT IN IS NULL LIKE ILIKE BETWEEN CASE WHEN THEN ELSE END DISTINCT UNION ALL EXCEPT INTERSECT VALUES EXPLAIN ANALYZE DESCRIBE SHOW TABLES SUMMARIZE OVER PARTITION ASC DESC NULLS FIRST LAST COUNT SUM AVG MIN MAX DATE TIMESTAMP INTERVAL CAST COALESCE'.split(
    ' ',
  );

export const dotCommands = ['.help', '.tables', '.questions', '.quit'] as const;

/** @param names tables, views, columns and questions */
export function completer(names: readonly string[]): (line: string) => [string[], string] {
  const known = [...new Set(names)].sort();
  return (line) => {
    if (line.startsWith('.')) return [dotCommands.filter((command) => command.startsWith(line)), line];
    const [word = ''] = /[\w-]*$/.exec(line) ?? [];
    if (word === '') return [[], word];
    const lower = word.toLowerCase();
    const spelled = word === lower ? keywords.map((keyword) => keyword.toLowerCase()) : keywords;
    const found = [...known, ...spelled].filter((name) => name.toLowerCase().startsWith(lower));
    return [[...new Set(found)], word];
  };
}
