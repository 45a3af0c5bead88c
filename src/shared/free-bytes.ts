/**
 * Frees bytes that nobody reads any more, at once. V8 would find out only when it collects the whole heap, and it does so
 * whenever 64 MiB outside of the heap are new: each time some 100 ms of processor time, for little heap. Whoever reads freed bytes
 * by mistake finds none, never those of somebody else.
 *
 * Bytes that share their memory with others stay, such as short ones from Node's pool.
 */
export function freeBytes(bytes: Bytes): void {
  if (ownsMemory(bytes)) bytes.buffer.transfer(0);
}

type Bytes = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** Whether nobody else reads the memory of these bytes, so that it can be freed, or moved to another thread. */
export function ownsMemory<Some extends Bytes>(
  bytes: Some,
): bytes is Some & { readonly buffer: ArrayBuffer } {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength;
}
