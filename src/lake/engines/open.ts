/** From an engine's name to the engine; what it needs is loaded only then, so that one may be missing. */
import type { Engine } from './engine.ts';

export interface EngineOptions {
  /** Bytes. */
  readonly memoryLimitBytes: number;
  /** Exists; for what does not fit into memory. */
  readonly scratch: string;
}

export async function openEngine(name: Engine['name'], options: EngineOptions): Promise<Engine> {
  switch (name) {
    case 'duckdb': {
      const { openDuckDb } = await import('./duckdb.ts');
      return openDuckDb(options);
    }
    case 'parquetjs-lite': {
      const { openParquetjsLite } = await import('./parquetjs-lite.ts');
      return openParquetjsLite(options);
    }
  }
}
