/**
 * Assumes the roles of accounts shortly before they are read, so that no drain holds a slot while it waits for STS. Whoever
 * reads the account gets the same credentials, or the same refusal (`shareCredentials`).
 */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Target } from '../targets/target.ts';

/** Sessions last an hour: not more accounts than this are ahead of the drains. */
const mostAhead = 64;

type Account = Pick<Target, 'accountId' | 'credentials'>;

export class CredentialsAhead {
  readonly #signal: AbortSignal;
  readonly #atOnce: number;
  /** Accounts whose drains have not begun, in the order in which they were found. */
  readonly #waiting = new Map<string, AwsCredentialIdentityProvider>();
  readonly #ahead = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #answered = new Set<string>();
  #underWay = 0;

  /**
   * @param signal when it is aborted, no more roles are assumed
   * @param atOnce roles that are assumed at once: not more than there are sockets for it, `Aws.controlSockets`
   */
  constructor(signal: AbortSignal, atOnce: number) {
    this.#signal = signal;
    this.#atOnce = atOnce;
  }

  add(accounts: readonly Account[]): void {
    for (const { accountId, credentials } of accounts) {
      if (this.#seen.has(accountId)) continue;
      this.#seen.add(accountId);
      this.#waiting.set(accountId, credentials);
    }
    this.#goOn();
  }

  /** Whether STS has responded: a drain of the account need not wait for it. */
  hasAnswered(accountId: string): boolean {
    return this.#answered.has(accountId);
  }

  /** A drain of the account begins. */
  began(accountId: string): void {
    const credentials = this.#waiting.get(accountId);
    this.#seen.add(accountId);
    this.#waiting.delete(accountId);
    this.#ahead.delete(accountId);
    // The drain shares this request.
    if (credentials !== undefined) void this.#ask(accountId, credentials);
    this.#goOn();
  }

  #goOn(): void {
    for (const [accountId, credentials] of this.#waiting) {
      if (this.#signal.aborted || this.#underWay >= this.#atOnce || this.#ahead.size >= mostAhead) return;
      this.#waiting.delete(accountId);
      this.#ahead.add(accountId);
      this.#underWay += 1;
      void this.#ask(accountId, credentials).then(() => {
        this.#underWay -= 1;
        this.#goOn();
      });
    }
  }

  async #ask(accountId: string, credentials: AwsCredentialIdentityProvider): Promise<void> {
    // The drain asks again, and reports what it gets.
    await credentials().catch(() => undefined);
    this.#answered.add(accountId);
  }
}
