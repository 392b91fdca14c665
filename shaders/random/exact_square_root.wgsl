// Correctly rounded square root: a guess by Newton's method, then the exact remainder in integers decides. The guess may
// be a few units off and need not be the same everywhere; the result is. CPU reference: exactSquareRoot in src/random/libraries/fma.ts.

/// sqrt(x) for a normal float32 x > 0; x for 0 and -0.
fn exactSquareRoot(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits << 1u) == 0u) {
    return x;
  }
  let biased = bits >> 23u;
  let even = (biased & 1u) == 1u; // the exponent proper
  let mantissa = (bits & 0x7fffffu) | 0x800000u;
  // 1 <= f < 4, sqrt(x) = sqrt(f) 2^k.
  let f = bitcast<f32>((bits & 0x7fffffu) | select(0x40000000u, 0x3f800000u, even));
  var y = bitcast<f32>(0x5f37642fu - (bitcast<u32>(f) >> 1u));
  y = y * (1.5 - 0.5 * f * y * y);
  y = y * (1.5 - 0.5 * f * y * y);
  y = y * (1.5 - 0.5 * f * y * y);
  // root = round(sqrt(square)), square = f 2^46 = root^2 + rest with -root < rest <= root. Modulo 2^32 is enough.
  var root = u32(f * y * 8388608.0);
  let square = select(mantissa << 24u, mantissa << 23u, even);
  var rest = i32(square - root * root);
  for (var i = 0; i < 8; i++) {
    if (rest > i32(root)) {
      rest -= i32(2u * root + 1u);
      root += 1u;
    } else if (rest <= -i32(root)) {
      rest += i32(2u * root - 1u);
      root -= 1u;
    } else {
      break;
    }
  }
  let exponent = u32(127 + ((i32(biased) - 127) >> 1u));
  return bitcast<f32>((exponent << 23u) | (root & 0x7fffffu));
}
