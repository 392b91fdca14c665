import { byteWidth, type DType } from '../core/dtype.js'
import { refuse, refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { TargetSegment } from '../plan/options.js'

/** The bytes of a caller's buffer that one parameter, or one segment of it, occupies. */
export interface RegionSpan {
  /** Its name in error messages: `into["wte.weight"]` or `into["wte.weight"].segments[1]`. */
  readonly where: string
  readonly buffer: object
  readonly begin: number
  readonly end: number
}

/** @throws WeightInitError `INVALID_BUFFER` if two regions share bytes */
export function refuseOverlap(spans: readonly RegionSpan[]): void {
  const groups = new Map<object, RegionSpan[]>()
  for (const span of spans) {
    const group = groups.get(span.buffer)
    if (group === undefined) groups.set(span.buffer, [span])
    else group.push(span)
  }
  for (const group of groups.values()) {
    const sorted = [...group].sort((a, b) => a.begin - b.begin)
    sorted.forEach((span, index) => {
      const before = sorted[index - 1]
      if (before !== undefined && before.end > span.begin) {
        throw new WeightInitError(
          'INVALID_BUFFER',
          `${span.where} begins at byte ${span.begin}, inside ${before.where}, which ends at ${before.end}.`,
        )
      }
    })
  }
}

/** Elements [firstElement, firstElement + elementCount) of a parameter, and where the caller wants them. */
export interface RegionPiece<B> {
  readonly where: string
  readonly buffer: B
  readonly byteOffset: number
  readonly byteLength: number
  readonly firstElement: number
  readonly elementCount: number
}

/** How a backend checks the caller's buffers. */
export interface RegionRules<B> {
  /** Returns the buffer and its byte length, or calls `fail` for a value that is not a buffer. */
  buffer(value: unknown, fail: (message: string) => never): { readonly buffer: B; readonly byteLength: number }
  /** The granularity of writes in bytes: 4 if the backend writes whole 32-bit words even at the end. */
  readonly unit: 1 | 4
}

/**
 * Checks one value of the option `into` and returns which elements go where: one piece, or one for each segment.
 * @param what the name of the option in messages
 * @throws WeightInitError `INVALID_BUFFER`; the message names the parameter (and segment), the value, the limit and the remedy
 */
export function regionPieces<B>(
  { name, dtype, byteLength }: { readonly name: string; readonly dtype: DType; readonly byteLength: number },
  region: unknown,
  rules: RegionRules<B>,
  what = 'into',
): RegionPiece<B>[] {
  const where = `${what}[${show(name)}]`
  const fail = refuse('INVALID_BUFFER', `${where}: `)
  if (typeof region !== 'object' || region === null) {
    return fail(`must be { buffer, byteOffset } or { segments }, but found ${show(region)}.`)
  }
  refuseUnknownKeys(region, ['buffer', 'byteOffset', 'segments'], where, 'INVALID_BUFFER')
  const { buffer, byteOffset, segments } = region as Record<string, unknown>
  if (segments === undefined) {
    const piece = { buffer, byteOffset, byteLength }
    return [checkedPiece(piece, { where, rules, firstByte: 0, left: byteLength, dtype })]
  }
  if (buffer !== undefined || byteOffset !== undefined) fail('give buffer and byteOffset, or segments, not both.')
  if (!Array.isArray(segments) || segments.length === 0) {
    return fail(
      `segments must be a list of { buffer, byteOffset, byteLength } that is not empty, but found ${show(segments)}.`,
    )
  }
  const pieces: RegionPiece<B>[] = []
  let firstByte = 0
  for (const [index, segment] of segments.entries()) {
    const context = { where: `${where}.segments[${index}]`, rules, firstByte, left: byteLength - firstByte, dtype }
    const piece = checkedPiece(segment, context)
    pieces.push(piece)
    firstByte += piece.byteLength
  }
  if (firstByte < byteLength) {
    fail(`its ${segments.length} segments hold ${firstByte} bytes, but the parameter has ${byteLength}.`)
  }
  return pieces
}

interface PieceContext<B> {
  readonly where: string
  readonly rules: RegionRules<B>
  /** The bytes of the parameter before this piece, and the bytes from here to its end. */
  readonly firstByte: number
  readonly left: number
  readonly dtype: DType
}

const segmentKeys = ['buffer', 'byteOffset', 'byteLength', 'firstElement', 'elementCount']

function checkedPiece<B>(value: unknown, { where, rules, firstByte, left, dtype }: PieceContext<B>): RegionPiece<B> {
  const fail = refuse('INVALID_BUFFER', `${where}: `)
  refuseUnknownKeys(value, segmentKeys, where, 'INVALID_BUFFER')
  const given = value as TargetSegment & Partial<Record<'firstElement' | 'elementCount', number>>
  const { buffer, byteLength: available } = rules.buffer(given.buffer, fail)
  const byteOffset = given.byteOffset ?? 0
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % 4 !== 0) {
    fail(`byteOffset must be a non-negative multiple of 4, but found ${show(byteOffset)}.`)
  }
  const width = byteWidth(dtype)
  const step = Math.max(4, width)
  const rest = Math.floor((available - byteOffset) / step) * step
  const byteLength = given.byteLength ?? (rest >= left ? left : Math.max(0, rest))
  if (!Number.isSafeInteger(byteLength) || byteLength <= 0 || byteLength > left) {
    fail(
      `byteLength must be from 1 to the ${left} bytes that are left of the parameter, but found ${show(byteLength)}` +
        `${given.byteLength === undefined ? ` (what its buffer of ${available} bytes holds from byteOffset ${byteOffset} on)` : ''}.`,
    )
  }
  if (byteLength !== left && byteLength % step !== 0) {
    fail(`byteLength must be a multiple of ${step} except in the last segment, but found ${byteLength}.`)
  }
  const needed = byteOffset + Math.ceil(byteLength / rules.unit) * rules.unit
  if (needed > available) {
    fail(
      `the buffer is too small: ${byteLength} bytes at offset ${byteOffset} need a buffer of ${needed} bytes` +
        `${rules.unit === 4 ? ' (whole 32-bit words)' : ''}, but it has ${available}.`,
    )
  }
  const piece = {
    where,
    buffer,
    byteOffset,
    byteLength,
    firstElement: firstByte / width,
    elementCount: byteLength / width,
  }
  // The caller may pass the segments of an earlier result unchanged. Their element positions must then agree.
  for (const key of ['firstElement', 'elementCount'] as const) {
    if (given[key] !== undefined && given[key] !== piece[key]) {
      fail(`${key} ${show(given[key])} is not ${piece[key]}, which follows from the segments before and byteLength.`)
    }
  }
  return piece
}

/** The bytes that pieces occupy in their buffers. */
export const regionSpans = <B extends object>(pieces: readonly RegionPiece<B>[], unit: 1 | 4): RegionSpan[] =>
  pieces.map(({ where, buffer, byteOffset, byteLength }) => ({
    where,
    buffer,
    begin: byteOffset,
    end: byteOffset + Math.ceil(byteLength / unit) * unit,
  }))

/** A piece of a parameter's memory: elements [firstElement, firstElement + elementCount), at `byteOffset` of `buffer`. */
export type Segment<B> = Omit<RegionPiece<B>, 'where'>

/** Where a parameter is stored: at `byteOffset` of one buffer, or in several segments, the first of which begins there. */
export interface Region<B> {
  readonly buffer: B
  readonly byteOffset: number
  readonly segments?: readonly Segment<B>[]
}

/** A parameter's memory as segments: a single one, unless it is stored in several places. */
export const segmentsOf = <B>(
  { buffer, byteOffset, segments }: Region<B>,
  { byteLength, elementCount }: { readonly byteLength: number; readonly elementCount: number },
): readonly Segment<B>[] => segments ?? [{ buffer, byteOffset, byteLength, firstElement: 0, elementCount }]

/** The pieces in the form that a result exposes. */
export const segmentsOfPieces = <B>(pieces: readonly RegionPiece<B>[]): Segment<B>[] =>
  pieces.map(({ where: _, ...segment }) => segment)
