/**
 * The file of a checkpoint: the exact bytes that were signed, and the signature, in one object. The form is DSSE
 * (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, envelope.md beside it). The signature covers the type
 * and the length of the payload too, so nothing else that the same key signs can pass for a checkpoint.
 */

const payloadType = 'application/vnd.backup-copy-export.checkpoint+json';

export interface Envelope {
  readonly payload: Uint8Array;
  /** Null: unsigned. */
  readonly signature: {
    /** Which key made it, only as a hint: nothing proves it but the signature. */
    readonly keyId: string;
    readonly bytes: Uint8Array;
  } | null;
}

/** What is signed: DSSE's "pre-authentication encoding". */
export function signedBytes(payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

export function serializeEnvelope({ payload, signature }: Envelope): Uint8Array {
  const signatures =
    signature === null
      ? []
      : [{ keyid: signature.keyId, sig: Buffer.from(signature.bytes).toString('base64') }];
  const file = { payloadType, payload: Buffer.from(payload).toString('base64'), signatures };
  return Buffer.from(`${JSON.stringify(file, null, 1)}\n`);
}

/** @throws Error when the bytes are not the envelope of a checkpoint */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const file: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (typeof file !== 'object' || file === null) throw new Error('it is not an object');
  if (!('payloadType' in file) || file.payloadType !== payloadType)
    throw new Error('its payloadType is another');
  if (!('payload' in file) || !('signatures' in file) || !Array.isArray(file.signatures)) {
    throw new Error('payload or signatures are missing');
  }
  const payload = fromBase64(file.payload);
  const found: unknown[] = file.signatures;
  if (found.length > 1) throw new Error('it has more than one signature');
  const [one] = found;
  if (one === undefined) return { payload, signature: null };
  if (typeof one !== 'object' || one === null || !('sig' in one) || !('keyid' in one)) {
    throw new Error('its signature is incomplete');
  }
  return { payload, signature: { keyId: String(one.keyid), bytes: fromBase64(one.sig) } };
}

/** Node skips what is not base64, so the text is compared with what it means. */
function fromBase64(text: unknown): Uint8Array {
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64');
  if (typeof text !== 'string' || bytes.toString('base64') !== text)
    throw new Error('it contains bad base64');
  return bytes;
}
