// Correctly rounded square root. Newton's method gives a guess, and the exact remainder, computed with integers, corrects it.
// The guess may be a few units off and may differ between devices, but the result is the same everywhere. CPU reference:
// exactSquareRoot in src/random/libraries/fma.ts.

/// sqrt(x) for a normal float32 x > 0; x itself for 0 and -0.
fn exactSquareRoot(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits << 1u) == 0u) {
    return x;
  }
  let biased = bits >> 23u;
  let even = (biased & 1u) == 1u; // the unbiased exponent is even
  let mantissa = (bits & 0x7fffffu) | 0x800000u;
  // sqrt(x) = sqrt(f) 2^k with 1 <= f < 4.
  let f = bitcast<f32>((bits & 0x7fffffu) | select(0x40000000u, 0x3f800000u, even));
  var y = bitcast<f32>(0x5f37642fu - (bitcast<u32>(f) >> 1u));
  y = y * (1.5 - 0.5 * f * y * y);
  y = y * (1.5 - 0.5 * f * y * y);
  y = y * (1.5 - 0.5 * f * y * y);
  // With square = f 2^46, root becomes round(sqrt(square)), for which square = root^2 + rest with -root < rest <= root. It is
  // enough to compute the rest modulo 2^32.
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
