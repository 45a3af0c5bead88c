/** One look at the objects of a lake: what was counted and found so far, and what needs a second look. */
import { type Finding, type FindingKind, finding } from './finding.ts';

export interface Counts {
  parts: number;
  rows: number;
  bytes: number;
  coverageFiles: number;
  rejectedFiles: number;
  beginRecords: number;
  watermarks: number;
}

export class Look {
  readonly counts: Counts = {
    parts: 0,
    rows: 0,
    bytes: 0,
    coverageFiles: 0,
    rejectedFiles: 0,
    beginRecords: 0,
    watermarks: 0,
  };
  /** Objects that unfinished runs wrote last, or runs whose manifest is lost. */
  readonly unproven = new Set<string>();
  /** Objects of tables that no manifest names. */
  readonly unnamed = new Set<string>();
  /** Objects that were not as the ledger says when they were first read. A run may have replaced them meanwhile. */
  readonly suspects = new Set<string>();
  /** The SHA-256 of objects that are not as the ledger names them; null: gone. */
  readonly contents = new Map<string, string | null>();
  /** Objects that the store refuses to give. */
  readonly refused = new Set<string>();
  readonly #findings = new Map<string, Finding>();

  countPart(bytes: number, rows: number): void {
    this.counts.parts += 1;
    this.counts.bytes += bytes;
    this.counts.rows += rows;
  }

  /** @param before what earlier looks of this round have read and found; each look reads the ledger’s files anew */
  constructor(before: { readonly counts: Counts; readonly findings: readonly Finding[] } | null = null) {
    for (const found of before?.findings ?? []) this.add(found);
    const { parts, rows, bytes } = before?.counts ?? this.counts;
    Object.assign(this.counts, { parts, rows, bytes });
  }

  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  /** Of each kind, an object has one finding: the first. */
  add(found: Finding): void {
    const name = `${found.kind} ${found.key}`;
    if (!this.#findings.has(name)) this.#findings.set(name, found);
  }

  note(kind: FindingKind, key: string, what: string, facts: Parameters<typeof finding>[3] = {}): void {
    this.add(finding(kind, key, what, facts));
  }
}
