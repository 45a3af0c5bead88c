/**
 * Parents and children among copy jobs. Whether AWS lists children by default is not documented, so they are counted.
 */
import type { ListedRecord } from '../tables/listed-record.ts';

/** Null if the record has no id. */
export function jobId(record: ListedRecord): string | null {
  return textOf(record, 'CopyJobId');
}

export function parentId(record: ListedRecord): string | null {
  return textOf(record, 'ParentJobId');
}

/** The copy jobs of one drain: which parents lack children, and which children are there. */
export class ChildJobs {
  readonly #expected = new Map<string, number>();
  readonly #children = new Map<string, Set<string>>();

  /** Takes note of a record that was kept. */
  note(record: ListedRecord): void {
    const parent = parentId(record);
    const count = childrenExpected(record);
    if (parent === null && count <= 0) return;
    const id = jobId(record);
    if (id === null) return;
    if (parent !== null) {
      const siblings = this.#children.get(parent) ?? new Set();
      this.#children.set(parent, siblings.add(id));
    }
    if (count > 0 && !this.#expected.has(id)) this.#expected.set(id, count);
  }

  /** Whether this child of this parent was noted. */
  has(parent: string, child: string): boolean {
    return this.#children.get(parent)?.has(child) ?? false;
  }

  /** Whether children were noted. */
  get areListed(): boolean {
    return this.#children.size > 0;
  }

  /** Whether a child was noted without its parent. */
  get lackParents(): boolean {
    return [...this.#children.keys()].some((parent) => !this.#expected.has(parent));
  }

  /** Parents with more children than were noted, each named only once over all calls. */
  takeIncompleteParents(): string[] {
    const incomplete: string[] = [];
    for (const [parent, count] of this.#expected) {
      if (count > (this.#children.get(parent)?.size ?? 0)) incomplete.push(parent);
      // One request is enough: a child that AWS does not list then does not exist.
      this.#expected.set(parent, 0);
    }
    return incomplete;
  }
}

/** A parent that does not say how many children it has is expected to have one. */
function childrenExpected(record: ListedRecord): number {
  const count = record.field('NumberOfChildJobs');
  if (typeof count === 'number') return count;
  return record.field('IsParent') === true ? 1 : 0;
}

function textOf(record: ListedRecord, name: string): string | null {
  const value = record.field(name);
  return typeof value === 'string' && value !== '' ? value : null;
}
