//#import "random/rounded"
//#import "$mulAdd"
// The float32 logarithm, sine and cosine of the Cephes library (S. Moshier), with the operations in the order of PyTorch's AVX2
// code. CPU reference: src/random/libraries/cephes.ts. The slot $mulAdd provides mulAdd(a, b, c, zero), which rounds once or
// twice.

const LOG_P0 = 0x1.204376p-4f;
const LOG_P1 = -0x1.d7a370p-4f;
const LOG_P2 = 0x1.de4a34p-4f;
const LOG_P3 = -0x1.fcba9ep-4f;
const LOG_P4 = 0x1.23d37ep-3f;
const LOG_P5 = -0x1.555ca0p-3f;
const LOG_P6 = 0x1.999d58p-3f;
const LOG_P7 = -0x1.fffff8p-3f;
const LOG_P8 = 0x1.555554p-2f;
const LOG_Q1 = -0x1.bd0106p-13f;
const LOG_Q2 = 0x1.630000p-1f;
const ROOT_HALF = 0x1.6a09e6p-1f;

const FOUR_OVER_PI = 0x1.45f306p+0f;
const PI_4_A = -0x1.920000p-1f;
const PI_4_B = -0x1.fb4000p-13f;
const PI_4_C = -0x1.4442d2p-25f;
const COS_0 = 0x1.99eb9cp-16f;
const COS_1 = -0x1.6c0c34p-10f;
const COS_2 = 0x1.55554ap-5f;
const SIN_0 = -0x1.9943f2p-13f;
const SIN_1 = 0x1.11073cp-7f;
const SIN_2 = -0x1.555546p-3f;

/// ln x for a normal float32 x > 0.
fn cephesLog(x: f32, zero: u32) -> f32 {
  let bits = bitcast<u32>(x);
  var e = f32(i32(bits >> 23u) - 126);
  let fraction = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
  var m = rounded(fraction - 1.0, zero);
  if (fraction < ROOT_HALF) {
    e -= 1.0;
    m = rounded(m + fraction, zero);
  }
  let z = rounded(m * m, zero);
  var y = mulAdd(LOG_P0, m, LOG_P1, zero);
  y = mulAdd(y, m, LOG_P2, zero);
  y = mulAdd(y, m, LOG_P3, zero);
  y = mulAdd(y, m, LOG_P4, zero);
  y = mulAdd(y, m, LOG_P5, zero);
  y = mulAdd(y, m, LOG_P6, zero);
  y = mulAdd(y, m, LOG_P7, zero);
  y = mulAdd(y, m, LOG_P8, zero);
  y = rounded(y * m, zero);
  y = mulAdd(y, z, rounded(e * LOG_Q1, zero), zero);
  // z / 2 and e * LOG_Q2 are exact, so contraction makes no difference.
  y = rounded(y - z * 0.5, zero);
  m = rounded(m + y, zero);
  return rounded(m + e * LOG_Q2, zero);
}

/// (cos x, sin x) for 0 <= x <= 8.
fn cephesCosSin(x: f32, zero: u32) -> vec2<f32> {
  let j = (i32(rounded(x * FOUR_OVER_PI, zero)) + 1) & ~1;
  let n = f32(j);
  // The first two parts of pi / 4 have few bits, so that n times each of them is exact.
  var r = rounded(x + n * PI_4_A, zero);
  r = rounded(r + n * PI_4_B, zero);
  r = mulAdd(n, PI_4_C, r, zero);
  let z = rounded(r * r, zero);
  var c = mulAdd(COS_0, z, COS_1, zero);
  c = mulAdd(c, z, COS_2, zero);
  c = rounded(c * z, zero);
  c = mulAdd(c, z, -(z * 0.5), zero);
  c = rounded(c + 1.0, zero);
  var s = mulAdd(SIN_0, z, SIN_1, zero);
  s = mulAdd(s, z, SIN_2, zero);
  s = rounded(s * z, zero);
  s = mulAdd(s, r, r, zero);
  let swap = (j & 2) != 0;
  let cosine = bitcast<u32>(select(c, s, swap));
  let sine = bitcast<u32>(select(s, c, swap));
  return vec2<f32>(
    bitcast<f32>(cosine ^ select(0u, 0x80000000u, ((j - 2) & 4) == 0)),
    bitcast<f32>(sine ^ select(0u, 0x80000000u, (j & 4) != 0)),
  );
}
