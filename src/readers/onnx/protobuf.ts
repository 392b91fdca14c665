/** How the bytes of a field are laid out; the other wire types (groups) are not in use any more. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

const decoder = /* @__PURE__ */ new TextDecoder()

/**
 * Reads the fields of one protobuf message in their order.
 * Source: https://protobuf.dev/programming-guides/encoding
 * @throws Error for bytes that are no message; the caller says whose
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length
  }

  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly wire: number } {
    const tag = Number(this.#varint() & 0xffffffffn)
    const field = tag >>> 3
    if (field === 0) throw new Error('a field has the number 0')
    return { field, wire: tag & 7 }
  }

  /** An integer in two's complement, 64 bits. */
  int64(): bigint {
    return BigInt.asIntN(64, this.#varint())
  }

  float(): number {
    const at = this.#take(4)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 4).getFloat32(0, true)
  }

  /** A view of the bytes: nothing is copied. */
  bytes(): Uint8Array {
    const length = this.#varint()
    if (length > BigInt(this.#bytes.length - this.#position)) throw new Error('premature EOF')
    const at = this.#take(Number(length))
    return this.#bytes.subarray(at, at + Number(length))
  }

  string(): string {
    return decoder.decode(this.bytes())
  }

  skip(wire: number): void {
    if (wire === wireTypes.varint) this.#varint()
    else if (wire === wireTypes.fixed64) this.#take(8)
    else if (wire === wireTypes.bytes) this.bytes()
    else if (wire === wireTypes.fixed32) this.#take(4)
    else throw new Error(`a field has the unknown wire type ${wire}`)
  }

  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new Error('an integer has more than ten bytes')
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const at = this.#position
    if (at + length > this.#bytes.length) throw new Error('premature EOF')
    this.#position = at + length
    return at
  }
}
