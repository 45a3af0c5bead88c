/** What a checkpoint says: the state of the whole lake after a run, and the checkpoint before it. */
import { hash } from 'node:crypto';
import { checkpointKey } from '../lake/layout.ts';
import { isJsonObject } from '../shared/json-object.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import { merkleRoot } from './merkle.ts';

/** A page of the state: the objects of one table, or of one kind in the ledger, and of one month. */
export interface PageSummary {
  /** What all its keys begin with. */
  readonly name: string;
  /** The Merkle root over its lines, in hex; also the name of the page's file. */
  readonly root: string;
  readonly objects: number;
  readonly rows: number;
  readonly bytes: number;
}

/** An object of the ledger by its key and the SHA-256 of its bytes, in hex. */
export interface NamedObject {
  readonly key: string;
  readonly sha256: string;
}

/** A part whose content no finished run has written, as far as the ledger said when the checkpoint was made. */
export interface UnexplainedPart {
  readonly key: string;
  /** The content that the checkpoint before had; null: it had none. */
  readonly expected: string | null;
  /** What the run found in its place; null: nothing. */
  readonly found: string | null;
}

export interface Checkpoint {
  readonly format: 1;
  /** From 1 on, without gaps. */
  readonly number: number;
  /** For people: where the lake was. */
  readonly lake: string;
  readonly run_id: string;
  /** ISO 8601, UTC. */
  readonly as_of: string;
  readonly program_version: string;
  /** Of this run. */
  readonly manifest: NamedObject;
  /** The file of the checkpoint before; null for the first. */
  readonly previous: (NamedObject & { readonly number: number }) | null;
  /** Manifests of other runs that had no checkpoint when this one was made. Empty in the first, which counts all that it finds. */
  readonly adopted: readonly NamedObject[];
  readonly unexplained: readonly UnexplainedPart[];
  /** The Merkle root over the pages. */
  readonly root: string;
  /** Parquet files of all tables, coverage and reconciliation included, and what they hold. */
  readonly parts: number;
  readonly rows: number;
  readonly bytes: number;
  /** Sorted by name. */
  readonly pages: readonly PageSummary[];
}

/** A checkpoint as it is stored. */
export interface StoredCheckpoint {
  readonly key: string;
  /** Of the file. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly checkpoint: Checkpoint;
  readonly envelope: Envelope;
}

export function serializeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  return Buffer.from(JSON.stringify(checkpoint));
}

/** The root over all pages. */
export function rootOf(pages: readonly Pick<PageSummary, 'name' | 'root'>[]): string {
  return merkleRoot(pages.map(({ name, root }) => `${name}\t${root}`));
}

/**
 * Reads the file with this number, and checks that it agrees with itself. Says nothing about its signature.
 * @throws Error that says what is wrong with it
 */
export function parseCheckpoint(number: number, bytes: Uint8Array): StoredCheckpoint {
  const envelope = parseEnvelope(bytes);
  const payload: unknown = JSON.parse(Buffer.from(envelope.payload).toString('utf8'));
  if (!isCheckpoint(payload)) throw new Error('its payload is not that of a checkpoint');
  if (payload.number !== number) throw new Error(`it says that it is number ${payload.number}`);
  if (payload.root !== rootOf(payload.pages)) throw new Error('its root is not that of its pages');
  if ((payload.previous?.number ?? 0) !== number - 1) throw new Error('it does not name the one before it');
  return { key: checkpointKey(number), sha256: hash('sha256', bytes), bytes, checkpoint: payload, envelope };
}

const hex = /^[0-9a-f]{64}$/;

function isCheckpoint(value: unknown): value is Checkpoint {
  if (!isJsonObject(value) || value.format !== 1) return false;
  const texts = [value.lake, value.run_id, value.as_of, value.program_version];
  const counts = [value.number, value.parts, value.rows, value.bytes];
  return (
    texts.every((text) => typeof text === 'string') &&
    counts.every(isCount) &&
    !Number.isNaN(Date.parse(String(value.as_of))) &&
    isNamed(value.manifest) &&
    (value.previous === null || (isNamed(value.previous) && 'number' in value.previous)) &&
    isListOf(value.adopted, isNamed) &&
    isListOf(value.unexplained, isUnexplained) &&
    isHash(value.root) &&
    isListOf(value.pages, isPage)
  );
}

function isPage(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const counts = [value.objects, value.rows, value.bytes];
  return typeof value.name === 'string' && isHash(value.root) && counts.every(isCount);
}

function isUnexplained(value: unknown): boolean {
  if (!isJsonObject(value) || typeof value.key !== 'string') return false;
  return [value.expected, value.found].every((one) => one === null || isHash(one));
}

function isNamed(value: unknown): value is NamedObject {
  return isJsonObject(value) && typeof value.key === 'string' && isHash(value.sha256);
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && hex.test(value);
}

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
