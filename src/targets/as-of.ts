/**
 * Determines the run's as-of: the time that independent witnesses agree on. The Date of one response can be wrong, and so
 * can the local clock. With a wrong as-of, watermarks would claim time ranges that were not read.
 */
import { AccountClient, ListRegionsCommand } from '@aws-sdk/client-account';
import { BackupClient, ListCopyJobsCommand } from '@aws-sdk/client-backup';
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

/** The time limit for one round of further witnesses. Those that have not responded by then do not count. */
const roundMs = 10_000;

/** How many further regions of AWS Backup are asked for the time. */
const furtherRegions = 2;

/** If a page contradicts the run's clock, the others are asked again, but not more often than this. */
const recheckMs = 60_000;

export interface AsOfOptions {
  readonly aws: Aws;
  /** The region of the STS that was asked. */
  readonly homeRegion: string;
  /** `--regions`. */
  readonly regions: 'enabled' | readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What the lake says about the time. */
export interface LakeTestimony {
  /** The Date of the store's last response; null for a store without a clock, such as a local folder. */
  readonly store: Witness | null;
  /** The last run that began. Its as-of is before that of every later run. Null: there is none. */
  readonly newestRun: { readonly key: string; readonly asOf: number } | null;
}

interface Probe {
  readonly who: string;
  /** Only the Date of the response counts. */
  readonly ask: (abortSignal: AbortSignal) => Promise<CapturedResponse>;
}

/** Asks as few witnesses as needed. Two that agree are enough; usually these are STS and the local clock. */
export class AsOf {
  readonly #options: AsOfOptions;
  /** Further witnesses that have not been asked yet, in rounds. */
  readonly #rounds: Probe[][];
  #lake: LakeTestimony = { store: null, newestRun: null };
  #told = new Set<string>();
  #checked: { readonly at: number; readonly done: Promise<void> } | null = null;

  /** `aws` must already have a response from STS. */
  constructor(options: AsOfOptions) {
    this.#options = options;
    const { homeRegion, regions } = options;
    const named = regions === 'enabled' ? [] : regions;
    // First AWS Backup, in a region that will be read: the network must reach it anyway.
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
   * Returns as-of, in milliseconds since the epoch. From then on the clock of `aws` follows it. Beside STS and the local clock,
   * only those count that are asked here: see AwsClock.
   * @throws UnavailableError when the witnesses do not agree
   */
  async determine(): Promise<number> {
    const { clock } = this.#options.aws;
    const { agreed } = await this.#verdict(() => true);
    clock.agree(agreed);
    return agreed.epochMs;
  }

  /**
   * Checks as-of against what has been learnt since.
   * @throws UnavailableError when the witnesses no longer agree on it
   */
  async confirm(lake?: LakeTestimony): Promise<void> {
    if (lake !== undefined) this.#lake = lake;
    const { clock } = this.#options.aws;
    const isBehindLake = () => this.#newest() !== null;
    // The lake's newest run is a witness too. Only two of AWS's witnesses outvote it.
    await this.#verdict(
      ({ agreed, votesOfAws }) => agree(agreed, this.#current()) && (!isBehindLake() || votesOfAws >= 2),
    );
    const newest = this.#newest();
    if (newest === null) return;
    this.#options.log.warn(
      { key: newest.key, as_of: iso(newest.asOf), now: iso(clock.now()) },
      'the lake’s newest run claims to have begun in the future: its record is damaged; the program uses AWS’s time',
    );
  }

  /**
   * Checks the time again, because a page contradicts it. If AWS's other services agree with the page, the machine was
   * asleep, and the clock moves to their time. Otherwise the page's Date is wrong, and the clock stays.
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
      'this machine was asleep: the program now uses AWS’s time',
    );
    aws.clock.agree(verdict.agreed);
  }

  /** Asks further witnesses, round by round, until the verdict suffices. */
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

  /** The newest run, if its as-of is in the future; otherwise null. */
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
        'a clock is wrong: the others agree on another time, which the program uses',
      );
    }
  }

  #refusal(): UnavailableError {
    const { clock } = this.#options.aws;
    const { newestRun } = this.#lake;
    const newest =
      newestRun === null ? '' : `; the lake’s newest run, ${newestRun.key}, began at ${iso(newestRun.asOf)}`;
    return new UnavailableError(
      `The clocks do not agree on the time: ${describeTimes(this.#witnesses(), clock.monotonic())}${newest}`,
      'Nothing was read, and no watermark has moved. Run again later. If this keeps happening, compare these clocks, and check what stands between the job and AWS',
    );
  }

  async #ask(probes: readonly Probe[]): Promise<void> {
    const { aws, signal, log } = this.#options;
    const within = AbortSignal.any([signal, AbortSignal.timeout(roundMs)]);
    await Promise.all(
      probes.map(async ({ who, ask }) => {
        try {
          const { response } = await abortable(ask(within), within);
          // Only AWS's own errors have a request id.
          if (response?.date != null && response.requestId !== null) aws.clock.saw(who, response.date);
        } catch (error) {
          log.debug({ who, err: error }, 'did not tell the time');
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
    const region = this.#options.homeRegion;
    return {
      who: witnessName('ec2', region),
      ask: async (signal) => {
        // As in regions.ts: seldom needed, and slow to load.
        const { DescribeRegionsCommand, EC2Client } = await import('@aws-sdk/client-ec2');
        const command = () => new DescribeRegionsCommand({});
        return await this.#probe('ec2', region, command, (made) => new EC2Client(made)).ask(signal);
      },
    };
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

  /**
   * An unsigned request. AWS refuses it with a response that has a Date. It needs no permission, and leaves no name in
   * CloudTrail.
   */
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
          // The request carries no date, so there is nothing to correct.
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

/** The SDK requires a signer; this one leaves the request unchanged. */
const unsigned = { sign: async <Request>(request: Request): Promise<Request> => request };

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
