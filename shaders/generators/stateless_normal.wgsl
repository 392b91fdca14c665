//#import "core/constants"
//#import "generators/scaled"
//#import "random/libraries/curand"
// torch.func._random.normal: a block gives two Box-Muller pairs, each with the cosine first. constants.a = (std, mean).

fn statelessPair(x: u32, y: u32, constants0: vec4<f32>, zero: u32) -> vec2<f32> {
  let radius = curandRadius(x, zero);
  let direction = statelessDirection(y, zero);
  return vec2<f32>(
    scaled(rounded(radius * direction.x, zero), constants0, zero),
    scaled(rounded(radius * direction.y, zero), constants0, zero),
  );
}

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  let constants0 = bitcast<vec4<f32>>(constants.a);
  // This is a loop so that a driver compiles the code of a pair only once.
  var values: vec4<f32>;
  for (var first = 0u; first < 4u; first += 2u) {
    let pair = statelessPair(words[first], words[first + 1u], constants0, zero);
    values[first] = pair.x;
    values[first + 1u] = pair.y;
  }
  return values;
}
