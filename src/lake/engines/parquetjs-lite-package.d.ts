/** Types for what this program uses of parquetjs-lite 0.8.7, which has none. Source: its lib/writer.js and lib/schema.js. */
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
    /** Await each call: otherwise rows are written twice. */
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquet: { ParquetSchema: typeof ParquetSchema; ParquetWriter: typeof ParquetWriter };
  export = parquet;
}

/** Its Thrift classes, generated from parquet.thrift. They have `logicalType`, though its writer never sets it. */
declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  class MilliSeconds {}
  class TimeUnit {
    constructor(unit: { MILLIS: MilliSeconds });
  }
  class TimestampType {
    constructor(type: { isAdjustedToUTC: boolean; unit: TimeUnit });
  }
  class LogicalType {
    constructor(type: { TIMESTAMP: TimestampType });
  }
  class FileMetaData {
    schema: { name: string; converted_type: number | null; logicalType: LogicalType | null }[];
  }
  const thrift: {
    ConvertedType: { TIMESTAMP_MILLIS: number };
    FileMetaData: typeof FileMetaData;
    LogicalType: typeof LogicalType;
    MilliSeconds: typeof MilliSeconds;
    TimestampType: typeof TimestampType;
    TimeUnit: typeof TimeUnit;
  };
  export = thrift;
}

declare module 'parquetjs-lite/lib/util.js' {
  /** Fills in the object. */
  export function decodeThrift(object: object, bytes: Buffer): number;
  export function serializeThrift(object: object): Buffer;
}
