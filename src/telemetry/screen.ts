/** Lets log lines and the progress bar share one stream without overwriting each other. */
import type { Writable } from 'node:stream';

/** The part of process.stderr that is used here. */
export type TerminalStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface Screen {
  readonly stream: TerminalStream;
  /** Writes whole lines, above the bar if one is drawn. */
  readonly write: (lines: string) => void;
  /** While a bar is drawn, lines are written through it; null when the bar is gone. */
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

/** The width for text: the terminal's; 80 if the terminal does not know it (0); 100 without a terminal. */
export function columnsOf({ columns }: { readonly columns?: number | undefined }): number {
  return columns === undefined ? 100 : columns || 80;
}
