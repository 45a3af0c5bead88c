/** The part of parquetjs-lite 0.8.7 that is used here (its package has no types). From its lib/writer.js and lib/schema.js. */
declare module 'parquetjs-lite' {
  interface FieldDefinition {
    type: 'UTF8' | 'INT64' | 'BOOLEAN' | 'TIMESTAMP_MILLIS';
    optional: boolean;
    compression: 'GZIP';
    /** Only `false` turns them off. */
    statistics?: false;
  }
  class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>);
  }
  class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      stream: import('node:stream').Writable,
      options: { useDataPageV2: boolean; pageIndex: boolean; rowGroupSize: number; pageSize: number },
    ): Promise<ParquetWriter>;
    setMetadata(name: string, value: string): void;
    /** Rows are doubled when the next is appended before this one's promise has settled. */
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquet: { ParquetSchema: typeof ParquetSchema; ParquetWriter: typeof ParquetWriter };
  export = parquet;
}
