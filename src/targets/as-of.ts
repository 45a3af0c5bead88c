/**
 * The run's as-of: the time that independent witnesses agree on. One answer's Date may be wrong, and so may the local
 * clock; a wrong as-of would have every watermark claim what was not read.
 */
import { AccountClient, ListRegionsCommand } from '@aws-sdk/client-account';
import { BackupClient, ListCopyJobsCommand } from '@aws-sdk/client-backup';
import { DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ListAccountsCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Logger } from 'pino';
import type { Aws } from '../aws/aws.ts';
import { type ClockReading, clockToleranceMs } from '../aws/clock.ts';
import { witnessName } from '../aws/clock-feeding-handler.ts';
import { type CapturedResponse, captureResponse } from '../aws/response.ts';
import { agree, describeTimes, type Verdict, verdictOf, type Witness } from '../aws/time-witnesses.ts';
import { abortable } from '../shared/abort.ts';
import { UnavailableError } from '../shared/errors.ts';

/** All further witnesses of one round together; who has not answered by then has not been asked. */
const roundMs = 10_000;

/** Further regions whose AWS Backup is asked for the time. */
const furtherRegions = 2;

/** A page that contradicts the run's clock has the others asked again at most this often. */
const recheckMs = 60_000;

export interface AsOfOptions {
  readonly aws: Aws;
  /** Where STS was asked. */
  readonly homeRegion: string;
  /** `--regions`. */
  readonly regions: 'enabled' | readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What the lake knows about time. */
export interface LakeTestimony {
  /** What the store's last answer said; null where it says nothing, as a local folder. */
  readonly store: Witness | null;
  /** The newest run that has begun; its as-of lies before every later run's. Null: there is none. */
  readonly newestRun: { readonly key: string; readonly asOf: number } | null;
}

interface Probe {
  readonly who: string;
  /** Whatever the answer says otherwise, its Date counts. */
  readonly ask: (abortSignal: AbortSignal) => Promise<CapturedResponse>;
}

/** Asks as few as needed: two that agree are enough, STS and the local clock on most nights. */
export class AsOf {
  readonly #options: AsOfOptions;
  /** Rounds of further witnesses that were not asked yet. */
  readonly #rounds: Probe[][];
  #lake: LakeTestimony = { store: null, newestRun: null };
  #told = new Set<string>();
  #checked: { readonly at: number; readonly done: Promise<void> } | null = null;

  /** STS must have been asked with `aws` already. */
  constructor(options: AsOfOptions) {
    this.#options = options;
    const { homeRegion, regions } = options;
    const named = regions === 'enabled' ? [] : regions;
    // AWS Backup first, and where it will be read: the way there has to exist anyway.
    const [nearest = homeRegion, ...others] = [
      ...new Set(named.includes(homeRegion) || named.length === 0 ? [homeRegion, ...named] : named),
    ];
    this.#rounds = [
      [this.#backup(nearest)],
      [
        ...others.slice(0, furtherRegions).map((region) => this.#backup(region)),
        this.#ec2(),
        this.#account(),
        this.#organizations(),
      ],
    ];
  }

  /**
   * As-of, in milliseconds since the epoch; the clock of `aws` goes by it from then on.
   * @throws UnavailableError when the witnesses do not agree
   */
  async determine(): Promise<number> {
    const { clock } = this.#options.aws;
    const { agreed } = await this.#verdict(() => true);
    clock.agree(agreed);
    return agreed.epochMs;
  }

  /**
   * As-of still holds with what has been learnt since.
   * @throws UnavailableError when it does not
   */
  async confirm(lake?: LakeTestimony): Promise<void> {
    if (lake !== undefined) this.#lake = lake;
    const { clock } = this.#options.aws;
    const isBehindLake = () => this.#newest() !== null;
    // The lake's newest run is one witness of one AWS: only two of AWS's outvote it.
    await this.#verdict(
      ({ agreed, votesOfAws }) => agree(agreed, this.#current()) && (!isBehindLake() || votesOfAws >= 2),
    );
    const newest = this.#newest();
    if (newest === null) return;
    this.#options.log.warn(
      { key: newest.key, as_of: iso(newest.asOf), now: iso(clock.now()) },
      'the lake’s newest run says that it began later than now: its record is damaged, and AWS’s time counts',
    );
  }

  /**
   * A page's time does not fit. Where AWS's other services say the same, the machine has slept, and the clock is set
   * to their time; else the page's Date is wrong and the clock stays.
   */
  async recheck(page: ClockReading): Promise<void> {
    const { clock } = this.#options.aws;
    const known = this.#checked;
    if (known !== null && clock.monotonic() - known.at < recheckMs) return await known.done;
    const done = this.#recheck(page);
    this.#checked = { at: clock.monotonic(), done };
    await done;
  }

  async #recheck(page: ClockReading): Promise<void> {
    const { aws, homeRegion, log } = this.#options;
    const begun = aws.clock.monotonic();
    const probes = [
      this.#sts(),
      this.#backup(homeRegion),
      this.#ec2(),
      this.#account(),
      this.#organizations(),
    ];
    await this.#ask(probes);
    const fresh = aws.clock.readings().filter(({ at, who }) => at >= begun && who !== page.who);
    const aboutAws = [...fresh, page].map((one) => ({ ...one, isAws: true }));
    const verdict = verdictOf([...aboutAws, { ...this.#current(), isAws: false }]);
    if (verdict === null || agree(verdict.agreed, this.#current()) || !agree(verdict.agreed, page)) return;
    log.warn(
      {
        was: iso(aws.clock.now()),
        is: iso(verdict.agreed.epochMs + aws.clock.monotonic() - verdict.agreed.at),
      },
      'AWS’s time has gone on while this machine stood still: its time counts',
    );
    aws.clock.agree(verdict.agreed);
  }

  /** The verdict that suffices, with as few further witnesses as that takes. */
  async #verdict(suffices: (verdict: Verdict) => boolean): Promise<Verdict> {
    for (;;) {
      const verdict = verdictOf(this.#witnesses());
      if (verdict !== null && suffices(verdict)) {
        this.#tell(verdict);
        return verdict;
      }
      const round = this.#rounds.shift();
      if (round === undefined) throw this.#refusal();
      await this.#ask(round);
    }
  }

  #witnesses(): Witness[] {
    const { clock } = this.#options.aws;
    const { store } = this.#lake;
    return [
      ...clock.readings().map((one) => ({ ...one, isAws: true })),
      ...(store === null ? [] : [store]),
      { ...clock.local(), isAws: false },
    ];
  }

  /** Null where it fits. */
  #newest(): LakeTestimony['newestRun'] {
    const { newestRun } = this.#lake;
    const { clock } = this.#options.aws;
    return newestRun !== null && newestRun.asOf > clock.now() + clockToleranceMs ? newestRun : null;
  }

  #current(): ClockReading {
    const { clock } = this.#options.aws;
    return { who: 'the run’s own clock', epochMs: clock.now(), at: clock.monotonic() };
  }

  #tell({ agreed, dissenting }: Verdict): void {
    const { aws, log } = this.#options;
    for (const one of dissenting) {
      if (this.#told.has(one.who)) continue;
      this.#told.add(one.who);
      log.warn(
        {
          says: describeTimes([one], aws.clock.monotonic()),
          counts: describeTimes([agreed], aws.clock.monotonic()),
          tolerance_s: clockToleranceMs / 1000,
        },
        'a clock is wrong: the others agree on another time, and theirs counts',
      );
    }
  }

  #refusal(): UnavailableError {
    const { clock } = this.#options.aws;
    const { newestRun } = this.#lake;
    const newest =
      newestRun === null ? '' : `; the lake’s newest run, ${newestRun.key}, began at ${iso(newestRun.asOf)}`;
    return new UnavailableError(
      `What time it is could not be agreed on: ${describeTimes(this.#witnesses(), clock.monotonic())}${newest}`,
      'Nothing was drained, and no watermark has moved. Run again later; if it stays so, compare these clocks, and look at what stands between the job and AWS',
    );
  }

  async #ask(probes: readonly Probe[]): Promise<void> {
    const { aws, signal, log } = this.#options;
    const within = AbortSignal.any([signal, AbortSignal.timeout(roundMs)]);
    await Promise.all(
      probes.map(async ({ who, ask }) => {
        try {
          const { response } = await abortable(ask(within), within);
          // Only AWS gives its errors a request id.
          if (response?.date != null && response.requestId !== null) aws.clock.saw(who, response.date);
        } catch (error) {
          log.debug({ who, err: error }, 'did not say what time it is');
        }
      }),
    );
    signal.throwIfAborted();
  }

  #backup(region: string): Probe {
    const command = () => new ListCopyJobsCommand({ MaxResults: 1 });
    return this.#probe('backup', region, command, (made) => new BackupClient(made));
  }

  #sts(): Probe {
    const command = () => new GetCallerIdentityCommand({});
    return this.#probe('sts', this.#options.homeRegion, command, (made) => new STSClient(made));
  }

  #ec2(): Probe {
    const command = () => new DescribeRegionsCommand({});
    return this.#probe('ec2', this.#options.homeRegion, command, (made) => new EC2Client(made));
  }

  #account(): Probe {
    const command = () => new ListRegionsCommand({});
    return this.#probe('account', this.#options.homeRegion, command, (made) => new AccountClient(made));
  }

  #organizations(): Probe {
    const command = () => new ListAccountsCommand({});
    return this.#probe(
      'organizations',
      this.#options.homeRegion,
      command,
      (made) => new OrganizationsClient(made),
    );
  }

  /** Not signed: the answer is a refusal that needs no permission, names nobody in a trail, and has a Date. */
  #probe<Command extends { readonly middlewareStack: Parameters<typeof captureResponse>[0] }>(
    service: string,
    region: string,
    command: () => Command,
    connect: (config: UnsignedConfig) => {
      send(command: Command, options: { abortSignal: AbortSignal }): Promise<unknown>;
    },
  ): Probe {
    const { aws } = this.#options;
    return {
      who: witnessName(service, region),
      ask: async (abortSignal) => {
        const client = connect({
          ...aws.clientDefaults(region, nobody),
          maxAttempts: 2,
          signer: unsigned,
          // Nothing is dated here, so no date is corrected and asked with again.
          disableClockSkewCorrection: true,
        });
        const asked = command();
        const kept = captureResponse(asked.middlewareStack);
        await client.send(asked, { abortSignal }).catch((error: unknown) => {
          if (kept.response === null) throw error;
        });
        return kept;
      },
    };
  }
}

type UnsignedConfig = ReturnType<Aws['clientDefaults']> & {
  readonly signer: typeof unsigned;
  readonly disableClockSkewCorrection: boolean;
};

const nobody = { accessKeyId: 'nobody', secretAccessKey: 'nobody' };

/** The SDK wants a signer; this one leaves the request as it is. */
const unsigned = { sign: async <Request>(request: Request): Promise<Request> => request };

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
