/** Answers that scenarios put in the place of AWS's. */
import type { Instead } from '../hurts.ts';

/** What a gateway, a captive portal or a filter sends: no name of an error, and no request id. */
export function page(status: number, headers: Readonly<Record<string, string>> = {}): Instead {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', server: 'ExampleGateway/4.2', ...headers },
    body: `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Example Gateway</h1><p>This page stands in the way.</p></body></html>`,
  };
}

/** S3's way to say no. */
export function s3Refusal(status: number, code: string, message: string): Instead {
  return {
    status,
    headers: {
      'content-type': 'application/xml',
      'x-amz-request-id': 'TX00000000000001',
      'x-amz-id-2': 'host',
    },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>TX00000000000001</RequestId></Error>`,
  };
}

/** STS's way to say no. */
export function stsRefusal(status: number, code: string, message: string): Instead {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': '7f3c1b52-0f0e-4c59-a2b9-6f1f7f0c1d2e' },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>7f3c1b52-0f0e-4c59-a2b9-6f1f7f0c1d2e</RequestId></ErrorResponse>`,
  };
}

/** The way of AWS Backup, Account and Organizations to say no. */
export function jsonRefusal(status: number, code: string, message: string): Instead {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': '7f3c1b52-0f0e-4c59-a2b9-6f1f7f0c1d2e',
      'x-amzn-errortype': code,
    },
    body: JSON.stringify({ __type: code, message }),
  };
}
