/** Makes an SDK client date its signatures by AWS's time instead of the machine's. */
import type { FinalizeRequestMiddleware, MiddlewareStack } from '@smithy/types';
import type { AwsClock } from './clock.ts';

/** The skew from which the SDK corrects its own clock (@aws-sdk/core, isClockSkewed.js). */
const skewMs = 4 * 60_000;

interface SigningClient<Input extends object, Output extends object> {
  readonly config: object;
  readonly middlewareStack: MiddlewareStack<Input, Output>;
}

/**
 * The SDK follows the local clock and the last response's Date. If somebody sets the clock during a run, or one Date is
 * wrong, AWS refuses the next request, and the SDK retries only some of these refusals. So requests are dated by
 * `clock` here. If a service refuses one and reports another time, the next request is dated by that time, once. If that
 * is refused too, the reported Date was wrong.
 * @returns the client
 */
export function signedBy<Client, Input extends object, Output extends object>(
  clock: AwsClock,
  client: Client & SigningClient<Input, Output>,
): Client {
  let correctionMs = 0;
  // @aws-sdk/core adds this to Date.now() for a signature, and would set it after every response (AwsSdkSigV4Signer.js).
  Object.defineProperty(client.config, 'systemClockOffset', {
    configurable: true,
    enumerable: true,
    get: () => clock.now() + correctionMs - Date.now(),
    set: () => undefined,
  });
  const correct: FinalizeRequestMiddleware<Input, Output> = (next) => async (args) => {
    const corrected = correctionMs;
    const signedFor = clock.now() + corrected;
    const signedAt = clock.monotonic();
    try {
      return await next(args);
    } catch (error) {
      const reported = dateOf(error);
      if (reported !== null) {
        const isSkewed = Math.abs(reported - (signedFor + clock.monotonic() - signedAt)) >= skewMs;
        markSkew(error, isSkewed);
        // Of several requests in flight, the first refusal corrects the clock for all.
        if (isSkewed && correctionMs === corrected)
          correctionMs = corrected === 0 ? reported - clock.now() : 0;
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

/** The Date of the error's response, in milliseconds; null: there was no response, or it had no Date. */
function dateOf(error: unknown): number | null {
  const response = fieldOf(error, '$response');
  const date = fieldOf(fieldOf(response, 'headers'), 'date');
  const time = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** Tells the SDK's retries and awsFailure whether another date can help. */
function markSkew(error: unknown, isSkewed: boolean): void {
  const metadata = fieldOf(error, '$metadata');
  if (typeof metadata === 'object' && metadata !== null)
    Reflect.set(metadata, 'clockSkewCorrected', isSkewed);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
