/** Opens an engine by name. Only its packages are loaded, so that those of the other engine may be missing. */
import type { Claim } from '../scratch.ts';
import type { Engine } from './engine.ts';

export interface EngineOptions {
  /** Bytes. */
  readonly memoryLimitBytes: number;
  /** Must exist. For data that does not fit into memory. */
  readonly scratch: string;
  /** Reserves space there for one merge; see Scratch. Default: as much as the disk has. */
  readonly claim?: () => Claim;
  /** How many small merges may run at once, where the engine can. Default 1. */
  readonly mergesAtOnce?: number;
}

type OpenEngine = (options: EngineOptions) => Promise<Engine>;

/** Loads an engine's packages, which blocks this thread for some hundredths of a second. */
export async function loadEngine(name: Engine['name']): Promise<OpenEngine> {
  switch (name) {
    case 'duckdb': {
      const { openDuckDb } = await import('./duckdb.ts');
      return async (options) => openDuckDb(options);
    }
    case 'parquetjs-lite': {
      const { openParquetjsLite } = await import('./parquetjs-lite.ts');
      return async (options) => openParquetjsLite(options);
    }
  }
}

export async function openEngine(name: Engine['name'], options: EngineOptions): Promise<Engine> {
  return (await loadEngine(name))(options);
}
