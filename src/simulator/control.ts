/** The simulator's control endpoints below `/_simulator/`, which need no signature. */

import { FaultError, type Faults, parseFaults } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import { type Answer, jsonAnswer } from './responses.ts';
import { ClockError, parseInstant, parseSpan } from './simulated-clock.ts';

export interface Controls {
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => number;
  /** Resolves when the clock has moved and the truth file is written. */
  readonly setClock: (epochMs: number) => Promise<void>;
  readonly advance: (ms: number) => Promise<void>;
}

export async function answerControl(
  controls: Controls,
  method: string,
  path: string,
  body: string,
): Promise<Answer> {
  try {
    switch (`${method} ${path}`) {
      case 'POST /_simulator/clock':
        await moveClock(controls, parse(body));
        return clockAnswer(controls);
      case 'GET /_simulator/clock':
        return clockAnswer(controls);
      case 'POST /_simulator/faults':
        controls.faults.add(parseFaults(parse(body)));
        return jsonAnswer('rest-json', controls.faults.list());
      case 'GET /_simulator/faults':
        return jsonAnswer('rest-json', controls.faults.list());
      case 'DELETE /_simulator/faults':
        controls.faults.clear();
        return jsonAnswer('rest-json', []);
      case 'GET /_simulator/requests':
        return jsonAnswer('rest-json', controls.log.summary());
      default:
        return refusal(404, `There is no ${method} ${path}.`);
    }
  } catch (error) {
    const isInput =
      error instanceof ClockError || error instanceof FaultError || error instanceof SyntaxError;
    return refusal(isInput ? 400 : 500, error instanceof Error ? error.message : String(error));
  }
}

async function moveClock(controls: Controls, input: unknown): Promise<void> {
  const wanted: { now?: unknown; advance?: unknown } =
    typeof input === 'object' && input !== null ? input : {};
  if (typeof wanted.now === 'string') await controls.setClock(parseInstant(wanted.now));
  else if (typeof wanted.advance === 'string') await controls.advance(parseSpan(wanted.advance));
  else throw new ClockError('send {"now":"2026-11-21T02:00:00Z"} or {"advance":"1d"}');
}

function clockAnswer(controls: Controls): Answer {
  return jsonAnswer('rest-json', { now: new Date(controls.now()).toISOString() });
}

function parse(body: string): unknown {
  return JSON.parse(body);
}

function refusal(status: number, message: string): Answer {
  return { status, contentType: 'application/json', body: JSON.stringify({ message }) };
}
