// Sums over a tensor's finite elements, one record per workgroup. They are in units of 2^exponent, chosen so that the largest
// element is below 1 and no square overflows float32. src/gpu/signal/sums.ts merges the records in float64.

struct Measure {
  elementCount: u32,
  elementsPerGroup: u32,
}

struct Record {
  finite: u32,
  exponent: i32,
  sum: f32,
  squares: f32,
}

const LANES = 64u;

@group(0) @binding(0) var<storage, read_write> records: array<Record>;
@group(0) @binding(1) var<uniform> job: Measure;
@group(0) @binding(2) var<storage, read> a: array<f32>;

var<workgroup> exponents: array<i32, LANES>;
var<workgroup> lanes: array<vec3<f32>, LANES>;

// This tests the bits, because a device may assume that NaN and infinity do not occur.
fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let begin = group.x * job.elementsPerGroup;
  let end = min(begin + job.elementsPerGroup, job.elementCount);
  var exponent = -126;
  for (var i = begin + lane; i < end; i += LANES) {
    let x = a[i];
    if (isFinite(x)) {
      exponent = max(exponent, i32((bitcast<u32>(x) >> 23u) & 0xffu) - 126);
    }
  }
  exponents[lane] = exponent;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      exponents[lane] = max(exponents[lane], exponents[lane + half]);
    }
    workgroupBarrier();
  }
  exponent = exponents[0];
  // 2^-exponent as a product of two factors, because 2^-exponent itself may be outside float32's range.
  let near = bitcast<f32>(u32(127 - exponent / 2) << 23u);
  let rest = bitcast<f32>(u32(127 - (exponent - exponent / 2)) << 23u);
  var sums = vec3<f32>();
  for (var i = begin + lane; i < end; i += LANES) {
    let x = a[i];
    if (isFinite(x)) {
      let s = x * near * rest;
      sums += vec3<f32>(1.0, s, s * s);
    }
  }
  lanes[lane] = sums;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lanes[lane] += lanes[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    records[group.x] = Record(u32(lanes[0].x), exponent, lanes[0].y, lanes[0].z);
  }
}
