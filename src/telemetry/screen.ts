/** What log lines and the progress bar share: one stream, on which neither tears the other. */
import type { Writable } from 'node:stream';

/** The part of process.stderr that is needed. */
export type TerminalStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface Screen {
  readonly stream: TerminalStream;
  /** Writes whole lines: above the bar while there is one. */
  readonly write: (lines: string) => void;
  /** While a bar is drawn, lines go through it. null: the bar is gone. */
  readonly drawThrough: (bar: ((lines: string) => void) | null) => void;
}

export function createScreen(stream: TerminalStream): Screen {
  let through: ((lines: string) => void) | null = null;
  return {
    stream,
    write: (lines) => {
      if (through) through(lines);
      else stream.write(lines);
    },
    drawThrough: (bar) => {
      through = bar;
    },
  };
}

/** How wide text may be: as the terminal is, 80 where it does not know itself (0), 100 where there is none. */
export function columnsOf({ columns }: { readonly columns?: number | undefined }): number {
  return columns === undefined ? 100 : columns || 80;
}
