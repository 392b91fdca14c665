//#import "random/libraries/cephes"
//#import "random/libraries/fma"
//#import "random/exact_square_root"
// The inverse error function of XLA (Giles, GPU Computing Gems Jade Edition, 2012). CPU reference: src/random/libraries/erf-inv.ts.

const ERF_INV_CENTRAL = array<f32, 9>(
  0x1.e2cb10p-26f, 0x1.70966cp-22f, -0x1.d8e6aep-19f, -0x1.26b582p-18f, 0x1.ca65b6p-13f,
  -0x1.48a810p-10f, -0x1.11c9dep-8f, 0x1.f91ec6p-3f, 0x1.805c5ep+0f,
);
const ERF_INV_TAIL = array<f32, 9>(
  -0x1.a3e136p-13f, 0x1.a76ad6p-14f, 0x1.61b8e4p-10f, -0x1.e17bcep-9f, 0x1.7824f6p-8f,
  -0x1.f38baep-8f, 0x1.354afcp-7f, 0x1.006db6p+0f, 0x1.6a9efcp+1f,
);

/// erf^-1(u) for |u| < 1.
fn erfInv(u: f32, zero: u32) -> f32 {
  let product = rounded(u * u, zero);
  let minusLog = -cephesLog(rounded(1.0 - product, zero), zero);
  let tail = minusLog >= 5.0;
  var w = rounded(minusLog - 2.5, zero);
  if (tail) {
    w = rounded(exactSquareRoot(minusLog) - 3.0, zero);
  }
  var p = select(ERF_INV_CENTRAL[0], ERF_INV_TAIL[0], tail);
  for (var i = 1u; i < 9u; i++) {
    p = fusedMultiplyAdd(p, w, select(ERF_INV_CENTRAL[i], ERF_INV_TAIL[i], tail), zero);
  }
  return rounded(p * u, zero);
}
