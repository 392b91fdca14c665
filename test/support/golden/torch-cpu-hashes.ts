// The golden values of PyTorch's CPU generator, as tests use them.
import { expect } from 'vitest'
import { sha256 } from '../bits.js'
import { bitsOf, hexWords } from './vectors.js'

/** A tensor as the golden files describe it: all its words, or their hash with the first and last. */
export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly numel: number
  readonly sha256_f32le: string
  readonly hex?: string
  readonly first32?: string
}

export function expectTensor(values: Float32Array, golden: GoldenTensor): void {
  const words = hexWords(golden.hex ?? golden.first32 ?? '')
  expect(bitsOf(values.subarray(0, words.length))).toEqual(words)
  expect(hashOf(values)).toBe(golden.sha256_f32le)
}

export function hashOf(values: Float32Array): string {
  return sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
}

export function expectHex(values: Float32Array, hex: string): void {
  expect(bitsOf(values)).toEqual(hexWords(hex))
}

/** 'normal_(0,0.02)' as a method of TorchGenerator and its arguments. */
export function parseCall(op: string): { method: 'uniform' | 'normal'; args: number[] } {
  const [, name = '', list = ''] = /^(\w+)(?:\((.*)\))?$/.exec(op) ?? []
  const method = name === 'rand' || name === 'uniform_' ? 'uniform' : 'normal'
  return { method, args: list === '' ? [] : list.split(',').map(Number) }
}
