//#import "random/logarithm"
//#import "random/rounded"
//#import "random/square_root"
// The inverse of the normal distribution function, computed with float32 additions and multiplications. As a function of
// W = -2 ln(4 q (1 - q)) it needs no division (Giles, "Approximating the erfinv function", GPU Computing Gems, 2011). The
// coefficients are our own, from scripts/fit-truncated-normal.mjs. CPU reference: src/random/inverse-normal.ts.

// z = (1 - 2 q) CENTRE(W - 5) for 0 <= W < 10, relative error 1.1e-7
const CENTRE_0 = 0x1.0fc8bep+1f;
const CENTRE_1 = 0x1.652c74p-3f;
const CENTRE_2 = -0x1.833496p-10f;
const CENTRE_3 = -0x1.d0b794p-13f;
const CENTRE_4 = 0x1.443990p-16f;
const CENTRE_5 = -0x1.a5ec5ap-23f;
const CENTRE_6 = -0x1.4fae66p-24f;
const CENTRE_7 = 0x1.0808e6p-28f;
const CENTRE_8 = 0x1.61ef66p-33f;

// z = TAIL(sqrt(W) - 5) for 10 <= W < 46, relative error 1.5e-7
const TAIL_0 = 0x1.312226p+2f;
const TAIL_1 = 0x1.01f458p+0f;
const TAIL_2 = 0x1.0ec9dcp-9f;
const TAIL_3 = -0x1.a94ec8p-11f;
const TAIL_4 = 0x1.b94aaep-13f;
const TAIL_5 = -0x1.889b62p-15f;
const TAIL_6 = 0x1.bb0db8p-19f;
const TAIL_7 = 0x1.8570d4p-20f;

// z = FAR(sqrt(W) - 9) for 46 <= W <= 128, relative error 8e-8
const FAR_0 = 0x1.19d0d2p+3f;
const FAR_1 = 0x1.025e04p+0f;
const FAR_2 = -0x1.786ec4p-12f;
const FAR_3 = -0x1.145ebap-17f;
const FAR_4 = 0x1.89f4e8p-18f;
const FAR_5 = -0x1.15c744p-20f;

fn centre(t: f32, zero: u32) -> f32 {
  var p = rounded(CENTRE_8 * t, zero) + CENTRE_7;
  p = rounded(p * t, zero) + CENTRE_6;
  p = rounded(p * t, zero) + CENTRE_5;
  p = rounded(p * t, zero) + CENTRE_4;
  p = rounded(p * t, zero) + CENTRE_3;
  p = rounded(p * t, zero) + CENTRE_2;
  p = rounded(p * t, zero) + CENTRE_1;
  p = rounded(p * t, zero) + CENTRE_0;
  return p;
}

fn tail(t: f32, zero: u32) -> f32 {
  var p = rounded(TAIL_7 * t, zero) + TAIL_6;
  p = rounded(p * t, zero) + TAIL_5;
  p = rounded(p * t, zero) + TAIL_4;
  p = rounded(p * t, zero) + TAIL_3;
  p = rounded(p * t, zero) + TAIL_2;
  p = rounded(p * t, zero) + TAIL_1;
  p = rounded(p * t, zero) + TAIL_0;
  return p;
}

fn farTail(t: f32, zero: u32) -> f32 {
  var p = rounded(FAR_5 * t, zero) + FAR_4;
  p = rounded(p * t, zero) + FAR_3;
  p = rounded(p * t, zero) + FAR_2;
  p = rounded(p * t, zero) + FAR_1;
  p = rounded(p * t, zero) + FAR_0;
  return p;
}

/// The z >= 0 whose upper tail probability is q: 1 - Phi(z) = q, for q in [4e-29, 1/2]. `distance` is 1 - 2 q. It is passed
/// separately because a float32 q near 1/2 has too few digits left to compute it from.
fn inverseNormalTail(q: f32, distance: f32, zero: u32) -> f32 {
  // v = 4 q (1 - q) = 1 - distance^2. Near the mean it is computed from the distance, which still tells neighbouring
  // probabilities apart there.
  let near = rounded(1.0 - rounded(distance * distance, zero), zero);
  let v = select(rounded(4.0 * q * rounded(1.0 - q, zero), zero), near, distance < 0.75);
  let w = rounded(minusTwoLog(v, zero), zero);
  if (w < 10.0) {
    return rounded(distance * centre(w - 5.0, zero), zero);
  }
  let s = rounded(squareRoot(w, zero), zero);
  if (w < 46.0) {
    return tail(s - 5.0, zero);
  }
  return farTail(s - 9.0, zero);
}
