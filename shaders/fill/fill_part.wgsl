//#import "core/job"
//#import "core/part"
//#import "random/philox"
//#import "$sampler"
//#import "$store"
// As fill.wgsl, for a rectangular part that consists of many runs of the tensor. The window counts elements of the part, and each
// one is sampled with its 64-bit index in the whole tensor. `job.counter` is the counter of the tensor's first block.
// The slots are those of fill.wgsl. CPU reference: sampleBytes in src/cpu/sample.ts.

/// a + b, for 64-bit integers as (low, high).
fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

/// n * a modulo 2^64, for a 64-bit integer a as (low, high).
fn multiply64(n: u32, a: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(n * a.x, multiplyHigh(n, a.x) + n * a.y);
}

struct Place {
  element: vec2<u32>, // the index in the whole tensor
  runLeft: u32,       // how many elements there are from here to the end of the contiguous run
}

/// Where element `local` of the window lies. CPU reference: elementIndex in src/plan/parts/geometry.ts.
fn elementIndex(local: u32) -> Place {
  var place = Place(part.firstElement, 0u);
  var steps = local;
  for (var i = 0u; i < part.axisCount; i++) {
    let axis = part.axes[i];
    var position: u32;
    var left: u32;
    if (axis.length != 0u) {
      let ahead = axis.digit + steps;
      steps = ahead / axis.length;
      position = ahead - steps * axis.length;
      left = axis.length - position;
    } else {
      let wrapped = steps >= axis.room;
      position = select(steps, steps - axis.room, wrapped);
      left = select(axis.room - steps, 0xffffffffu, wrapped);
      place.element = add64(place.element, select(axis.begin, vec2<u32>(0u), wrapped));
      steps = select(0u, 1u, wrapped);
    }
    place.element = add64(place.element, multiply64(position, axis.stride));
    if (i == 0u) {
      place.runLeft = left;
    }
  }
  return place;
}

fn sampleBlock(block: vec2<u32>) -> vec4<f32> {
  let counter = add64(job.counter, block);
  return sampleWords(philox4x32(vec4<u32>(counter, 0u, 0u), job.key), block, job.constants, job.zero);
}

fn blockOf(element: vec2<u32>) -> vec2<u32> {
  return vec2<u32>((element.x >> 2u) | (element.y << 30u), element.y >> 2u);
}

/// Elements 4 quad to 4 quad + 3 of the window. Inside a run they come from one or two blocks; across the end of a run a block is
/// computed for each element.
fn sampleQuad(quad: u32) -> vec4<f32> {
  let first = quad * 4u;
  let place = elementIndex(first);
  let block = blockOf(place.element);
  let shift = place.element.x & 3u;
  let a = sampleBlock(block);
  if (place.runLeft >= 4u) {
    if (shift == 0u) {
      return a;
    }
    let b = sampleBlock(add64(block, vec2<u32>(1u, 0u)));
    if (shift == 1u) {
      return vec4<f32>(a.yzw, b.x);
    }
    if (shift == 2u) {
      return vec4<f32>(a.zw, b.xy);
    }
    return vec4<f32>(a.w, b.xyz);
  }
  var values = vec4<f32>(a[shift], 0.0, 0.0, 0.0);
  for (var j = 1u; j < 4u; j++) {
    if (first + j < job.elementCount) {
      let element = elementIndex(first + j).element;
      values[j] = sampleBlock(blockOf(element))[element.x & 3u];
    }
  }
  return values;
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let quads = (job.elementCount >> 2u) + select(0u, 1u, (job.elementCount & 3u) != 0u);
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad < quads; quad += stride) {
    storeQuad(quad, sampleQuad(quad));
  }
}
