/** Access keys and sessions. Sessions are not stored: their secret is derived from their signed token. */
import { createHmac } from 'node:crypto';

export interface Identity {
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  /** The role's name; null for the user. */
  readonly role: string | null;
  /** Real time, in milliseconds since the epoch; null: never. */
  readonly expires: number | null;
}

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly identity: Identity;
}

export class Credentials {
  readonly #key: string;
  readonly #user: Identity;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  #issued = 0;

  /** @param accountId the management account, whose user's keys are in the simulator's `env` */
  constructor(seed: number, accountId: string) {
    this.#key = `credentials of ${seed}`;
    this.accessKeyId = `AKIA${this.#letters('user')}`;
    this.secretAccessKey = this.#digest('secret of user', 'base64').slice(0, 40);
    this.#user = {
      accountId,
      arn: `arn:aws:iam::${accountId}:user/backup-copy-export`,
      userId: `AIDA${this.#letters('user id')}`,
      role: null,
      expires: null,
    };
  }

  /** @param expires real time */
  issue(accountId: string, role: string, sessionName: string, expires: number): Session {
    this.#issued++;
    const payload = Buffer.from(JSON.stringify([accountId, role, sessionName, expires, this.#issued]));
    const text = payload.toString('base64url');
    const sessionToken = `IQoJb3JpZ2luX2VjE${Buffer.from(`${text}.${this.#digest(text, 'base64url')}`).toString('base64')}`;
    const session = this.#session(sessionToken);
    if (session === null) throw new Error('a session that was just issued is not readable');
    return session;
  }

  /**
   * The identity behind an access key and session token, with the key's secret.
   * Null: unknown, or the two do not belong together.
   */
  find(accessKeyId: string, sessionToken: string | null): { secret: string; identity: Identity } | null {
    if (accessKeyId === this.accessKeyId) {
      return sessionToken === null ? { secret: this.secretAccessKey, identity: this.#user } : null;
    }
    const session = sessionToken === null ? null : this.#session(sessionToken);
    if (session?.accessKeyId !== accessKeyId) return null;
    return { secret: session.secretAccessKey, identity: session.identity };
  }

  #session(sessionToken: string): Session | null {
    const inner = Buffer.from(sessionToken.slice('IQoJb3JpZ2luX2VjE'.length), 'base64').toString();
    const [text = '', signature] = inner.split('.');
    if (signature !== this.#digest(text, 'base64url')) return null;
    const fields: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(fields)) return null;
    const [accountId, role, name, expires] = fields.map(String);
    const roleId = `AROA${this.#letters(`role ${accountId} ${role}`)}`;
    return {
      accessKeyId: `ASIA${this.#letters(sessionToken)}`,
      secretAccessKey: this.#digest(`secret of ${sessionToken}`, 'base64').slice(0, 40),
      sessionToken,
      identity: {
        accountId: accountId ?? '',
        arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`,
        userId: `${roleId}:${name}`,
        role: role ?? null,
        expires: Number(expires),
      },
    };
  }

  #digest(text: string, encoding: 'base64' | 'base64url'): string {
    return createHmac('sha256', this.#key).update(text).digest(encoding);
  }

  /** Sixteen letters and digits, as AWS ids have. */
  #letters(text: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bytes = createHmac('sha256', this.#key).update(`id ${text}`).digest().subarray(0, 16);
    return Array.from(bytes, (byte) => alphabet[byte % 32]).join('');
  }
}
