/** Philox4x32-10 as the paper writes it, with 64-bit products in bigints. Slow; shares no code with src. */
export function philoxReference(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffff_ffffn
  let [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n] = counter.map(BigInt)
  let [k0 = 0n, k1 = 0n] = key.map(BigInt)
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0
    const b = 0xcd9e8d57n * c2
    const [d0, d1, d2, d3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask]
    c0 = d0
    c1 = d1
    c2 = d2
    c3 = d3
    k0 = (k0 + 0x9e3779b9n) & mask
    k1 = (k1 + 0xbb67ae85n) & mask
  }
  return [c0, c1, c2, c3].map(Number)
}

/** The four words of block `block` of a stream: 64-bit counter with wrap, as value contract 1 says. */
export function blockReference(stream: { key: bigint; counter: bigint }, block: bigint): number[] {
  const counter = BigInt.asUintN(64, stream.counter + block)
  const halves = (value: bigint): number[] => [Number(value & 0xffff_ffffn), Number(value >> 32n)]
  return philoxReference([...halves(counter), 0, 0], halves(stream.key))
}
