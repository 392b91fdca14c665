//#import "core/job"
//#import "generators/scaled"
//#import "generators/host_words"
//#import "random/libraries/cephes"
//#import "random/exact_square_root"
//#import "$store"
// normal_ of PyTorch's CPU generator for 16 or more elements. It works in blocks of 16, in which words j and j + 8 give elements
// j (with the cosine) and j + 8 (with the sine). If the count is not a multiple of 16, the last 16 elements are made again from
// 16 further words.
// job.constants: a = (std, mean), c = (first element of the redone block, index of its first word, place of the window's first
// element in its block). Elements are counted from the first word of hostWords. CPU reference: src/generators/torch/cpu.ts.

const TWO_PI = 0x1.921fb6p+2f;

/// sqrt(-2 ln(1 - d)) with d = (word & 0xffffff) 2^-24.
fn torchRadius(word: u32, zero: u32) -> f32 {
  return exactSquareRoot(-2.0 * cephesLog(f32(0x1000000u - (word & 0xffffffu)) * 0x1p-24f, zero));
}

/// (cos, sin) of 2 pi d.
fn torchDirection(word: u32, zero: u32) -> vec2<f32> {
  return cephesCosSin(rounded(TWO_PI * (f32(word & 0xffffffu) * 0x1p-24f), zero), zero);
}

/// Elements j and j + 8 of the block whose words begin at `base`.
fn torchPair(base: u32, j: u32) -> vec2<f32> {
  let radius = torchRadius(hostWords[base + j], job.zero);
  let direction = torchDirection(hostWords[base + j + 8u], job.zero);
  return vec2<f32>(
    scaled(rounded(radius * direction.x, job.zero), bitcast<vec4<f32>>(job.constants.a), job.zero),
    scaled(rounded(radius * direction.y, job.zero), bitcast<vec4<f32>>(job.constants.a), job.zero),
  );
}

/// Where element `index` of the window comes from: the index of its block's first word, and its place in the block.
fn torchPlace(index: u32) -> vec2<u32> {
  let i = job.constants.c.z + index;
  if (i >= job.constants.c.x) {
    return vec2<u32>(job.constants.c.y, i - job.constants.c.x);
  }
  return vec2<u32>(i & ~15u, i & 15u);
}

/// An invocation makes half a block: four pairs, which are two groups of four elements. If the window begins inside a block, or
/// near the redone end, it makes the elements of both groups one by one. Both cases share one loop whose length the compiler
/// does not know, so that the code of a pair is compiled only once.
@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let halves = ((job.elementCount + 15u) / 16u) * 2u;
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var half = id.x; half < halves; half += stride) {
    let base = (half >> 1u) * 16u;
    let quads = vec2<u32>((base >> 2u) + (half & 1u), (base >> 2u) + (half & 1u) + 2u);
    let regular = job.constants.c.z == 0u && base + 16u <= job.elementCount && base + 16u <= job.constants.c.x;
    var values: array<vec4<f32>, 2>;
    for (var step = 0u; step < select(8u, 4u, regular); step++) {
      let lane = step & 3u;
      let place = torchPlace(quads[step >> 2u] * 4u + lane);
      let pair = torchPair(place.x, place.y & 7u);
      if (regular) {
        values[0][lane] = pair.x;
        values[1][lane] = pair.y;
      } else {
        values[step >> 2u][lane] = select(pair.x, pair.y, place.y >= 8u);
      }
    }
    if (quads.x * 4u < job.elementCount) {
      storeQuad(quads.x, values[0]);
    }
    if (quads.y * 4u < job.elementCount) {
      storeQuad(quads.y, values[1]);
    }
  }
}
