/** From an engine's name to the engine; what it needs is loaded only then, so that one may be missing. */
import type { Claim } from '../scratch.ts';
import type { Engine } from './engine.ts';

export interface EngineOptions {
  /** Bytes. */
  readonly memoryLimitBytes: number;
  /** Exists; for what does not fit into memory. */
  readonly scratch: string;
  /** Claims room there for one merge; see Scratch. Default: as much as the disk has. */
  readonly claim?: () => Claim;
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
