// Groups of elements for a normalisation or a softmax. Each group has one workgroup.

struct Groups {
  groupCount: u32,
  length: u32,
  inner: u32,
  outerStride: u32,
  groupStride: u32,
  flags: u32,
  foldScale: f32,
  varianceScale: f32,
  epsilon: f32,
  unitScale: f32,
  gradientScale: f32,
}

const BACKWARD = 1u;
const LANES = 64u;

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<uniform> job: Groups;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

var<workgroup> lanes: array<vec2<f32>, LANES>;

fn place(group: u32, i: u32) -> u32 {
  return i / job.inner * job.outerStride + group * job.groupStride + i % job.inner;
}

// Returns the sum over all lanes in each of them. All lanes must call it together.
fn total(value: vec2<f32>, lane: u32) -> vec2<f32> {
  lanes[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lanes[lane] += lanes[lane + half];
    }
    workgroupBarrier();
  }
  let sum = lanes[0];
  workgroupBarrier();
  return sum;
}

fn largest(value: f32, lane: u32) -> f32 {
  lanes[lane].x = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lanes[lane].x = max(lanes[lane].x, lanes[lane + half].x);
    }
    workgroupBarrier();
  }
  let most = lanes[0].x;
  workgroupBarrier();
  return most;
}
