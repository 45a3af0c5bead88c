/** Dates the signatures of an SDK client by AWS's time instead of the machine's. */
import type { FinalizeRequestMiddleware, MiddlewareStack } from '@smithy/types';
import type { AwsClock } from './clock.ts';

/** The SDK's own measure for a clock that is worth correcting (@aws-sdk/core, isClockSkewed.js). */
const farMs = 4 * 60_000;

interface SigningClient {
  readonly config: object;
  // biome-ignore lint/suspicious/noExplicitAny: any command's input and output will do; neither is touched.
  readonly middlewareStack: MiddlewareStack<any, any>;
}

/**
 * The SDK goes by the local clock and the last answer's Date: a clock that is set while it runs, or one wrong Date, has
 * the next request refused, and only some of these refusals are sent again. Here a request is dated by `clock`. Where
 * the service that refuses it names another time, the next one is dated by that, once: if it is refused too, the Date was wrong.
 * @returns the client
 */
export function signedBy<Client extends SigningClient>(clock: AwsClock, client: Client): Client {
  let correctionMs = 0;
  // What @aws-sdk/core adds to Date.now() for a signature, and would set after every answer (AwsSdkSigV4Signer.js).
  Object.defineProperty(client.config, 'systemClockOffset', {
    configurable: true,
    enumerable: true,
    get: () => clock.now() + correctionMs - Date.now(),
    set: () => undefined,
  });
  // biome-ignore lint/suspicious/noExplicitAny: any command's input and output will do; neither is touched.
  const correct: FinalizeRequestMiddleware<any, any> = (next) => async (args) => {
    const corrected = correctionMs;
    const signedFor = clock.now() + corrected;
    const signedAt = clock.monotonic();
    try {
      return await next(args);
    } catch (error) {
      const said = dateOf(error);
      if (said !== null) {
        const isFar = Math.abs(said - (signedFor + clock.monotonic() - signedAt)) >= farMs;
        noteFor(error, isFar);
        // Of requests side by side, the first that is refused has corrected it for all.
        if (isFar && correctionMs === corrected) correctionMs = corrected === 0 ? said - clock.now() : 0;
      }
      throw error;
    }
  };
  client.middlewareStack.addRelativeTo(correct, {
    relation: 'after',
    toMiddleware: 'retryMiddleware',
    name: 'correctSigningClock',
    override: true,
  });
  return client;
}

/** The time of the answer that an error came with, in milliseconds; null: there was none, or no time in it. */
function dateOf(error: unknown): number | null {
  const response = fieldOf(error, '$response');
  const date = fieldOf(fieldOf(response, 'headers'), 'date');
  const time = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** What the SDK's retries and awsFailure go by: whether another date may help. */
function noteFor(error: unknown, isFar: boolean): void {
  const metadata = fieldOf(error, '$metadata');
  if (typeof metadata === 'object' && metadata !== null) Reflect.set(metadata, 'clockSkewCorrected', isFar);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
