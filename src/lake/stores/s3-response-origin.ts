/** Tells S3's responses from those of something between the job and S3. */
import { type ResponseHead, type ResponseOrigin, requestIdOf, rootOf } from '../../aws/response-origin.ts';

/**
 * Every response of AWS's S3 has a request id. Some S3-compatible servers send none. Their responses are recognized by what
 * only S3 sends: an ETag for an object, a specific document for a list or an upload, an `<Error>` with a code for an error.
 * A captive portal's response to a GET or PUT must never be read as "there is no part" or "the part is written".
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
      // The response to a HEAD has no body to check.
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
      // The response to a PUT has only headers.
      return method === 'PUT' && headers.etag !== undefined && body === '';
    },
  };
}

/** Successful responses to a list, and to the start and the end of a multipart upload. */
function answersWithDocument({ method, query, status }: ResponseHead): boolean {
  const asks = method === 'POST' || (method === 'GET' && 'list-type' in query);
  return asks && status >= 200 && status < 300;
}

function isPage(headers: ResponseHead['headers']): boolean {
  return /^(?:text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '');
}
