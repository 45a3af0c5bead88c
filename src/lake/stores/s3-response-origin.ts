/** Which answers are S3's, and which come from something between the job and S3. */
import { type ResponseHead, type ResponseOrigin, requestIdOf, rootOf } from '../../aws/response-origin.ts';

/**
 * AWS's S3 gives every answer a request id. Some S3-compatible servers do not; their answers are told by what S3 alone says:
 * an ETag for an object, a document of its own for a list or an upload, an `<Error>` with a code for a refusal. Whatever a
 * captive portal answers to a GET or a PUT must never be read as "there is no part" or "the part is written".
 * @param custom whether the endpoint is not AWS's own
 */
export function s3Origin(custom: boolean): ResponseOrigin {
  return {
    name: 'S3',
    byHead: (head) => {
      const { method, status, headers } = head;
      if (answersWithDocument(head)) return null;
      const isGood = status >= 200 && status < 300;
      if (requestIdOf(headers) !== null || headers['x-amz-bucket-region'] !== undefined) return true;
      if (method === 'DELETE' && isGood) return true;
      // A HEAD has no body that could tell.
      if (method === 'HEAD') return custom && !isPage(headers);
      if (!isGood) return null;
      if (isPage(headers) || headers.etag === undefined) return null;
      return method !== 'PUT' || headers['content-length'] === '0' ? true : null;
    },
    byBody: (head, body) => {
      const { method, status, headers } = head;
      const root = rootOf(body);
      if (root === 'Error') return body.includes('<Code>');
      if (status < 200 || status > 299) return false;
      if (answersWithDocument(head)) {
        return method === 'GET'
          ? root === 'ListBucketResult'
          : root !== 'html' && /<(?:UploadId|ETag)>/.test(body);
      }
      // A PUT is answered with nothing but headers.
      return method === 'PUT' && headers.etag !== undefined && body === '';
    },
  };
}

/** Good answers to a list, and to the beginning and the end of an upload in parts. */
function answersWithDocument({ method, query, status }: ResponseHead): boolean {
  const asks = method === 'POST' || (method === 'GET' && 'list-type' in query);
  return asks && status >= 200 && status < 300;
}

function isPage(headers: ResponseHead['headers']): boolean {
  return /^(?:text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '');
}
