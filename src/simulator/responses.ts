/** Builds HTTP responses in the four AWS protocols. */

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The protocols of AWS services: https://smithy.io/2.0/aws/protocols/. */
export type Protocol = 'rest-json' | 'json-1.1' | 'query' | 'ec2';

/** An error as AWS returns it. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;

  /** @param code the error's name; '' for a response without a body */
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function jsonAnswer(protocol: 'rest-json' | 'json-1.1', body: unknown): Answer {
  return { status: 200, contentType: contentTypeOf(protocol), body: JSON.stringify(body) };
}

export function queryAnswer(action: string, result: string, requestId: string): Answer {
  const body = `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`;
  return { status: 200, contentType: contentTypeOf('query'), body };
}

export function ec2Answer(action: string, result: string, requestId: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>${requestId}</requestId>${result}</${action}Response>`;
  return { status: 200, contentType: contentTypeOf('ec2'), body };
}

export function errorAnswer(protocol: Protocol, error: ServiceError, requestId: string): Answer {
  const { status, code, message } = error;
  const contentType = contentTypeOf(protocol);
  if (code === '') return { status, contentType, body: '' };
  switch (protocol) {
    case 'rest-json':
      return {
        status,
        contentType,
        body: JSON.stringify({ __type: code, message }),
        headers: { 'x-amzn-ErrorType': code },
      };
    case 'json-1.1':
      return { status, contentType, body: JSON.stringify({ __type: code, message }) };
    case 'query': {
      const type = status < 500 ? 'Sender' : 'Receiver';
      const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${type}</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
      return { status, contentType, body };
    }
    case 'ec2': {
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`;
      return { status, contentType, body };
    }
  }
}

function contentTypeOf(protocol: Protocol): string {
  switch (protocol) {
    case 'rest-json':
      return 'application/json';
    case 'json-1.1':
      return 'application/x-amz-json-1.1';
    case 'query':
      return 'text/xml';
    case 'ec2':
      return 'text/xml;charset=UTF-8';
  }
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
