/**
 * Frees bytes that nobody reads any more, at once. V8 would find out only when it collects the whole heap, and it does so
 * whenever 64 MiB outside of the heap are new: each time some 100 ms of processor time, for little heap. Whoever reads freed bytes
 * by mistake finds none, never those of somebody else.
 *
 * Bytes that share their memory with others stay, such as short ones from Node's pool.
 */
export function freeBytes(bytes: Uint8Array | Uint16Array | Int32Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength === 0 || byteLength !== buffer.byteLength) return;
  buffer.transfer(0);
}
