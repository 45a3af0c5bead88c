/** Page tokens: opaque, signed, and valid only for the request that they came from. */
import { createHmac } from 'node:crypto';

/** Marks the page tokens of the faults `empty-page-with-token`, `repeat-token` and `token-cycle`. */
export type TokenVariant = 0 | 1 | 2;

export interface PageToken {
  readonly place: readonly number[];
  readonly variant: TokenVariant;
}

export class Tokens {
  readonly #key: string;

  constructor(seed: number) {
    this.#key = `page tokens of ${seed}`;
  }

  /** @param purpose everything that must be the same when the token is used */
  seal(purpose: string, place: readonly number[], variant: TokenVariant = 0): string {
    const text = [...place, variant].join('.');
    return Buffer.from(`${text}.${this.#sign(purpose, text)}`).toString('base64');
  }

  /** Null for a token that the simulator did not issue, or issued for another request. */
  open(purpose: string, token: string): PageToken | null {
    const match = /^((?:-?\d+\.)*?)(\d)\.([\w-]+)$/.exec(Buffer.from(token, 'base64').toString());
    const [, places = '', variant = '', signature = ''] = match ?? [];
    if (!match || this.#sign(purpose, `${places}${variant}`) !== signature) return null;
    const place = places.split('.').filter(Boolean).map(Number);
    return { place, variant: variant === '1' ? 1 : variant === '2' ? 2 : 0 };
  }

  #sign(purpose: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}\n${text}`).digest('base64url').slice(0, 22);
  }
}
