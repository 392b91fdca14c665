//#import "core/law"
//#import "generators/scaled"
//#import "random/libraries/curand"
// torch.func._random.normal: two Box-Muller pairs of a block, cosine first. law.a = (std, mean).

fn statelessPair(x: u32, y: u32, law0: vec4<f32>, zero: u32) -> vec2<f32> {
  let radius = curandRadius(x, zero);
  let direction = statelessDirection(y, zero);
  return vec2<f32>(
    scaled(rounded(radius * direction.x, zero), law0, zero),
    scaled(rounded(radius * direction.y, zero), law0, zero),
  );
}

fn sampleWords(words: vec4<u32>, block: vec2<u32>, law: Law, zero: u32) -> vec4<f32> {
  let law0 = bitcast<vec4<f32>>(law.a);
  // A loop, so that a driver compiles the pair once.
  var values: vec4<f32>;
  for (var first = 0u; first < 4u; first += 2u) {
    let pair = statelessPair(words[first], words[first + 1u], law0, zero);
    values[first] = pair.x;
    values[first + 1u] = pair.y;
  }
  return values;
}
