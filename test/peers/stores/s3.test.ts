import { storeConformance } from '../../lake/stores/conformance.ts';
import { startConditionalS3 } from '../s3-servers.ts';

storeConformance(
  'versitygw',
  async () => {
    const server = await startConditionalS3();
    return { description: { kind: 's3', prefix: 'some/prefix/', ...server }, stop: server.stop };
  },
  10,
);
