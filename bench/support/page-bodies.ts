/** Bodies of ListCopyJobs as they come over the wire, to measure what reading them costs at least. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BackupClient, ListCopyJobsCommand } from '@aws-sdk/client-backup';

export interface PageBody {
  readonly text: string;
  readonly records: number;
}

/** All pages of the caller's own account in these regions. The caller's environment names the simulator. */
export async function fetchPageBodies(
  env: Readonly<Record<string, string>>,
  regions: readonly string[],
): Promise<readonly PageBody[]> {
  const pages: PageBody[] = [];
  for (const region of regions) {
    const client = new BackupClient({
      region,
      endpoint: env.AWS_ENDPOINT_URL_BACKUP ?? '',
      credentials: {
        accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
      },
    });
    let text = '';
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        // Safe: the HTTP handler below the SDK gives a response with a stream.
        const response = result.response as { body: Readable | Buffer };
        response.body = await buffer(response.body as Readable);
        text = response.body.toString();
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
    let nextToken: string | undefined;
    do {
      const page = await client.send(new ListCopyJobsCommand({ MaxResults: 1_000, NextToken: nextToken }));
      pages.push({ text, records: page.CopyJobs?.length ?? 0 });
      nextToken = page.NextToken;
    } while (nextToken !== undefined);
    client.destroy();
  }
  return pages;
}
