// What a comparison found, in words: the same ones in the terminal, in the report and on the page. What was compared bit by bit and
// what within a bound is never counted together, and a sample is never called all.

import type { BoundedComparison, ParameterVerification, VerificationReport } from '../weights/verification.js'

const whole = (count: number): string => count.toLocaleString('en')
const small = (x: number): string => (x === 0 ? '0' : x.toExponential(1))

/** '0 of all 1,024 elements', or of a sample '0 of 512 compared, of 1,024 elements,'. */
function share(wrong: number, compared: number, total: number, what: string): string {
  return compared === total
    ? `${whole(wrong)} of all ${whole(total)} ${what}`
    : `${whole(wrong)} of ${whole(compared)} compared, of ${whole(total)} ${what},`
}

function boundedSentence({ count, bound, largestDifference, beyondCount, secondRunCount }: BoundedComparison): string {
  const second =
    secondRunCount === 0
      ? ''
      : secondRunCount === count
        ? ', compared with a second run of the device'
        : `, ${whole(secondRunCount)} of them compared with a second run of the device`
  return (
    `${whole(beyondCount)} of ${whole(count)} elements of orthogonal matrices${second} are further off than ${small(bound)} ` +
    `(largest difference ${small(largestDifference)})`
  )
}

/** @param other what the weights were compared with, such as "the CPU" */
export function paritySentence(report: VerificationReport, other: string): string {
  const { elementCount, comparedCount, mismatchCount, withinBound, parameters } = report
  const bounded = withinBound?.count ?? 0
  const parts: string[] = []
  if (comparedCount > 0 || bounded === 0) {
    const what = bounded === 0 ? 'elements' : 'other elements'
    const found = share(mismatchCount, comparedCount, elementCount - bounded, what)
    parts.push(`${found} differ from ${other} in any bit`)
  }
  if (withinBound !== undefined) parts.unshift(boundedSentence(withinBound))
  const skewed = parameters.filter(
    (p) => !p.ok && p.mismatchCount === 0 && p.withinBound !== undefined && p.withinBound.beyondCount === 0,
  )
  if (skewed.length > 0) parts.push(`${whole(skewed.length)} parameters are less orthogonal than rounding allows`)
  return parts.join('; ')
}

/** For a table's cell: 'equal' of elements that are the same bits, 'within' of those of orthogonal matrices. */
export function parityCell(verified: ParameterVerification | undefined): string {
  if (verified === undefined) return 'not compared'
  const { elementCount, comparedCount, mismatchCount, firstMismatch, largestUlpDistance, withinBound, ok } = verified
  const found: string[] = []
  if (mismatchCount > 0) {
    found.push(
      `${whole(mismatchCount)} differ, from [${firstMismatch}], by up to ${whole(largestUlpDistance ?? 0)} ulp`,
    )
  } else if (withinBound === undefined) {
    if (comparedCount === 0) return 'not compared'
    found.push(comparedCount === elementCount ? 'equal' : `equal (${whole(comparedCount)} of ${whole(elementCount)})`)
  }
  if (withinBound !== undefined) {
    const { bound, largestDifference, beyondCount, firstBeyond, secondRunCount } = withinBound
    const second = secondRunCount > 0 ? ' of a second run' : ''
    found.push(
      beyondCount === 0
        ? `within ${small(bound)}${second} (${small(largestDifference)})`
        : `${whole(beyondCount)} beyond ${small(bound)}${second}, from [${firstBeyond}], by up to ${small(largestDifference)}`,
    )
    if (!ok && mismatchCount === 0 && beyondCount === 0) {
      found.push(`|QtQ - I| ${(verified.orthogonalityError ?? Number.NaN).toExponential(1)}`)
    }
  }
  return found.join('; ')
}
