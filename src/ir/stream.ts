/** Where a parameter's random words come from: a Philox key and the first block counter, both 64 bits. */
export interface Stream {
  readonly seed: bigint
  readonly offset: bigint
}
