//#import "$load"
// Partial moments of a window, one record per workgroup; src/statistics/moments.ts merges them in float64.
// Sums are of (x - center), center near the mean, so that the variance does not cancel. Order is fixed: the same
// device gives the same sums every time. Not bit-exact across devices, and need not be.
// $load: loadElement(index) -> f32, decoding the dtype.

struct MomentsJob {
  elementCount: u32,
  firstWord: u32,
  elementsPerGroup: u32,
  firstRecord: u32,
  center: f32,
}

struct Record {
  count: u32,          // finite elements
  nonFinite: u32,
  zeros: u32,
  sum: f32,            // of x - center over the finite ones
  sumSquares: f32,
  minimum: f32,
  maximum: f32,
  unused: u32,
}

const LANES = 64u;
const LARGEST = 0x1.fffffep+127f;

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<uniform> job: MomentsJob;
@group(0) @binding(2) var<storage, read_write> records: array<Record>;

var<workgroup> lanes: array<Record, LANES>;

fn merge(a: Record, b: Record) -> Record {
  return Record(
    a.count + b.count,
    a.nonFinite + b.nonFinite,
    a.zeros + b.zeros,
    a.sum + b.sum,
    a.sumSquares + b.sumSquares,
    min(a.minimum, b.minimum),
    max(a.maximum, b.maximum),
    0u,
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let begin = group.x * job.elementsPerGroup;
  let end = min(begin + job.elementsPerGroup, job.elementCount);
  var r = Record(0u, 0u, 0u, 0.0, 0.0, LARGEST, -LARGEST, 0u);
  for (var i = begin + lane; i < end; i += LANES) {
    let x = loadElement(i);
    let bits = bitcast<u32>(x);
    // By bits: a device may assume that NaN and infinity do not occur.
    if ((bits & 0x7f800000u) == 0x7f800000u) {
      r.nonFinite += 1u;
    } else {
      let d = x - job.center;
      r.count += 1u;
      r.zeros += select(0u, 1u, (bits & 0x7fffffffu) == 0u);
      r.sum += d;
      r.sumSquares += d * d;
      r.minimum = min(r.minimum, x);
      r.maximum = max(r.maximum, x);
    }
  }
  lanes[lane] = r;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lanes[lane] = merge(lanes[lane], lanes[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    records[job.firstRecord + group.x] = lanes[0];
  }
}
