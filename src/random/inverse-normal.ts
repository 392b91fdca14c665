// CPU reference of shaders/random/inverse_normal.wgsl: the same float32 operations, each rounded by Math.fround.

import { minusTwoLog } from './logarithm.js'
import { squareRoot } from './square-root.js'

const fround = Math.fround

const CENTRE_0 = 2.1233136653900146
const CENTRE_1 = 0.174401193857193
const CENTRE_2 = -0.001477071433328092
const CENTRE_3 = -0.00022159438231028616
const CENTRE_4 = 0.00001932530722115189
const CENTRE_5 = -1.9647332294425723e-7
const CENTRE_6 = -7.815688007895005e-8
const CENTRE_7 = 3.842211437898868e-9
const CENTRE_8 = 1.609510719147167e-10

const TAIL_0 = 4.767709255218506
const TAIL_1 = 1.0076346397399902
const TAIL_2 = 0.0020659524016082287
const TAIL_3 = -0.0008112101349979639
const TAIL_4 = 0.00021042428852524608
const TAIL_5 = -0.0000468023972644005
const TAIL_6 = 0.000003301006472611334
const TAIL_7 = 0.0000014507797914120601

const FAR_0 = 8.806740760803223
const FAR_1 = 1.009247064590454
const FAR_2 = -0.00035899417707696557
const FAR_3 = -0.000008236468602262903
const FAR_4 = 0.000005870411769137718
const FAR_5 = -0.0000010348051091568777

/** For tests: the constants under their names in the shader. */
export const inverseNormalConstants: Readonly<Record<string, number>> = {
  CENTRE_0,
  CENTRE_1,
  CENTRE_2,
  CENTRE_3,
  CENTRE_4,
  CENTRE_5,
  CENTRE_6,
  CENTRE_7,
  CENTRE_8,
  TAIL_0,
  TAIL_1,
  TAIL_2,
  TAIL_3,
  TAIL_4,
  TAIL_5,
  TAIL_6,
  TAIL_7,
  FAR_0,
  FAR_1,
  FAR_2,
  FAR_3,
  FAR_4,
  FAR_5,
}

function centre(t: number): number {
  let p = fround(fround(CENTRE_8 * t) + CENTRE_7)
  p = fround(fround(p * t) + CENTRE_6)
  p = fround(fround(p * t) + CENTRE_5)
  p = fround(fround(p * t) + CENTRE_4)
  p = fround(fround(p * t) + CENTRE_3)
  p = fround(fround(p * t) + CENTRE_2)
  p = fround(fround(p * t) + CENTRE_1)
  p = fround(fround(p * t) + CENTRE_0)
  return p
}

function tail(t: number): number {
  let p = fround(fround(TAIL_7 * t) + TAIL_6)
  p = fround(fround(p * t) + TAIL_5)
  p = fround(fround(p * t) + TAIL_4)
  p = fround(fround(p * t) + TAIL_3)
  p = fround(fround(p * t) + TAIL_2)
  p = fround(fround(p * t) + TAIL_1)
  p = fround(fround(p * t) + TAIL_0)
  return p
}

function farTail(t: number): number {
  let p = fround(fround(FAR_5 * t) + FAR_4)
  p = fround(fround(p * t) + FAR_3)
  p = fround(fround(p * t) + FAR_2)
  p = fround(fround(p * t) + FAR_1)
  p = fround(fround(p * t) + FAR_0)
  return p
}

/**
 * The z >= 0 whose upper tail probability is q: 1 - Phi(z) = q, for a float32 q in [4e-29, 1/2].
 * |z - exact| <= 5e-7 max(1, |z|); same bits on every device.
 * After Giles, "Approximating the erfinv function", GPU Computing Gems (Jade), 2011, with our own coefficients.
 *
 * @param distance 1 - 2 q, which is twice the distance of q from 1/2. It is passed separately because a float32 q near 1/2
 *   has too few digits left to compute it from
 */
export function inverseNormalTail(q: number, distance: number): number {
  // v = 4 q (1 - q) = 1 - distance^2. Near the mean it is computed from the distance, which still tells neighbouring
  // probabilities apart there.
  const v = distance < 0.75 ? fround(1 - fround(distance * distance)) : fround(4 * q * fround(1 - q))
  const w = minusTwoLog(v)
  if (w < 10) return fround(distance * centre(fround(w - 5)))
  const s = squareRoot(w)
  return w < 46 ? tail(fround(s - 5)) : farTail(fround(s - 9))
}
