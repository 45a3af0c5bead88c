import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { openGlue } from '../../src/catalog/glue.ts';
import { ReportedError } from '../../src/shared/errors.ts';

describe('a Glue that does not answer', () => {
  let asked: PromiseWithResolvers<void>;
  const silent = createServer(() => asked.resolve());
  let aws: Aws;
  beforeEach(async () => {
    asked = Promise.withResolvers();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    aws = createAws({ endpointUrl: `http://127.0.0.1:${address.port}`, maxSockets: 2 });
  });
  afterEach(() => {
    aws.close();
    silent.closeAllConnections();
    silent.close();
  });

  it('is no drift and no refusal when a person interrupts', async () => {
    const stop = new AbortController();
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const glue = openGlue(aws.clientDefaults('us-east-1', credentials), 'copies', stop.signal);
    const reading = glue.database().catch((error: unknown) => error);
    await asked.promise;
    stop.abort(new Error('stopped'));
    const error = await reading;
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(ReportedError);
  });
});
