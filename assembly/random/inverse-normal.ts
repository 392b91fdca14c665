// WebAssembly version of src/random/inverse-normal.ts, four lanes at a time.

import { minusTwoLog } from './logarithm'
import { squareRoot } from './square-root'

const CENTRE_0: f32 = 2.1233136653900146
const CENTRE_1: f32 = 0.174401193857193
const CENTRE_2: f32 = -0.001477071433328092
const CENTRE_3: f32 = -0.00022159438231028616
const CENTRE_4: f32 = 0.00001932530722115189
const CENTRE_5: f32 = -1.9647332294425723e-7
const CENTRE_6: f32 = -7.815688007895005e-8
const CENTRE_7: f32 = 3.842211437898868e-9
const CENTRE_8: f32 = 1.609510719147167e-10

const TAIL_0: f32 = 4.767709255218506
const TAIL_1: f32 = 1.0076346397399902
const TAIL_2: f32 = 0.0020659524016082287
const TAIL_3: f32 = -0.0008112101349979639
const TAIL_4: f32 = 0.00021042428852524608
const TAIL_5: f32 = -0.0000468023972644005
const TAIL_6: f32 = 0.000003301006472611334
const TAIL_7: f32 = 0.0000014507797914120601

const FAR_0: f32 = 8.806740760803223
const FAR_1: f32 = 1.009247064590454
const FAR_2: f32 = -0.00035899417707696557
const FAR_3: f32 = -0.000008236468602262903
const FAR_4: f32 = 0.000005870411769137718
const FAR_5: f32 = -0.0000010348051091568777

// @ts-ignore: decorator
@inline
function centre(t: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(CENTRE_8), t), f32x4.splat(CENTRE_7))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_6))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_5))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_4))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_3))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_2))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_1))
  return f32x4.add(f32x4.mul(p, t), f32x4.splat(CENTRE_0))
}

// @ts-ignore: decorator
@inline
function tail(t: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(TAIL_7), t), f32x4.splat(TAIL_6))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_5))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_4))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_3))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_2))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_1))
  return f32x4.add(f32x4.mul(p, t), f32x4.splat(TAIL_0))
}

// @ts-ignore: decorator
@inline
function farTail(t: v128): v128 {
  let p = f32x4.add(f32x4.mul(f32x4.splat(FAR_5), t), f32x4.splat(FAR_4))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(FAR_3))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(FAR_2))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(FAR_1))
  return f32x4.add(f32x4.mul(p, t), f32x4.splat(FAR_0))
}

/** The z >= 0 whose upper tail probability is q, for a float32 q in [4e-29, 1/2]; `distance` is 1 - 2 q. */
// @ts-ignore: decorator
@inline
export function inverseNormalTail(q: v128, distance: v128): v128 {
  const one = f32x4.splat(1)
  const near = f32x4.sub(one, f32x4.mul(distance, distance))
  const v = f32x4.mul(f32x4.mul(f32x4.splat(4), q), f32x4.sub(one, q))
  const w = minusTwoLog(v128.bitselect(near, v, f32x4.lt(distance, f32x4.splat(0.75))))
  let z = f32x4.mul(distance, centre(f32x4.sub(w, f32x4.splat(5))))
  const beyond = f32x4.ge(w, f32x4.splat(10))
  if (v128.any_true(beyond)) {
    const s = squareRoot(w)
    z = v128.bitselect(tail(f32x4.sub(s, f32x4.splat(5))), z, beyond)
    const far = f32x4.ge(w, f32x4.splat(46))
    if (v128.any_true(far)) z = v128.bitselect(farTail(f32x4.sub(s, f32x4.splat(9))), z, far)
  }
  return z
}
