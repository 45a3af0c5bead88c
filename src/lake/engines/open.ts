import { openDuckDb } from './duckdb.ts';
import type { Engine } from './engine.ts';
import { openParquetjsLite } from './parquetjs-lite.ts';

/**
 * Opens the engine by its name on the command line.
 * @throws EngineError when it cannot start
 */
export function openEngine(
  name: Engine['name'],
  options: { readonly memoryLimitBytes: number /** an existing folder */; readonly scratch: string },
): Promise<Engine> {
  switch (name) {
    case 'duckdb':
      return openDuckDb(options);
    case 'parquetjs-lite':
      return openParquetjsLite(options);
  }
}
