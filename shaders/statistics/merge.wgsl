//#import "statistics/double_float"
// Adds up the partial sums of every run, with one workgroup per run, and finds the most unusual window of the run. A window
// consists of the elements of one full workgroup of statistics/measure. Each lane takes one of the sums from every eighth
// record.

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;
/// Per run: the first partial record, the number of records, the first word of the run's record in `results`, 0.
@group(0) @binding(2) var<storage, read> runs: array<vec4<u32>>;

const LANES = 64u;
/// Floats of a partial record, and the number of lanes that read it: six sums, the count, and an unused float.
const FIELDS = 8u;
const COUNT_FIELD = 6u;
const FULL_WINDOW = 16384.0;
const WINDOWS = 9u;
const SUMS = 16u;
const LARGEST = 0x1.fffffep+127f;

var<workgroup> sums: array<vec2<f32>, LANES>;
/// For one sum, over the full windows: their number, the largest magnitude, the smallest and the largest value.
var<workgroup> extremes: array<vec4<f32>, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  let field = lane % FIELDS;
  // A workgroup beyond the last run repeats the last one, because barriers need uniform control flow.
  let run = runs[min(index, arrayLength(&runs) - 1u)];
  var sum = vec2<f32>(0.0);
  var extreme = vec4<f32>(0.0, 0.0, LARGEST, -LARGEST);
  for (var record = lane / FIELDS; record < run.y; record += LANES / FIELDS) {
    let at = FIELDS * (run.x + record);
    let value = partials[at + field];
    sum = addToPair(sum, vec2<f32>(value, 0.0), run.w);
    if (partials[at + COUNT_FIELD] == FULL_WINDOW) {
      extreme = vec4<f32>(extreme.x + 1.0, max(extreme.y, abs(value)), min(extreme.z, value), max(extreme.w, value));
    }
  }
  sums[lane] = sum;
  extremes[lane] = extreme;
  workgroupBarrier();
  for (var half = LANES / 2u; half >= FIELDS; half /= 2u) {
    if (lane < half) {
      sums[lane] = addToPair(sums[lane], sums[lane + half], run.w);
      let a = extremes[lane];
      let b = extremes[lane + half];
      extremes[lane] = vec4<f32>(a.x + b.x, max(a.y, b.y), min(a.z, b.z), max(a.w, b.w));
    }
    workgroupBarrier();
  }
  if (index >= arrayLength(&runs)) {
    return;
  }
  if (lane < COUNT_FIELD) {
    results[run.z + SUMS + 2u * lane] = bitcast<u32>(sums[lane].x);
    results[run.z + SUMS + 2u * lane + 1u] = bitcast<u32>(sums[lane].y);
  }
  if (lane == 0u) {
    let at = run.z + WINDOWS;
    results[at] = u32(extremes[0].x);
    results[at + 1u] = bitcast<u32>(extremes[0].y);
    results[at + 2u] = bitcast<u32>(extremes[1].z);
    results[at + 3u] = bitcast<u32>(extremes[1].w);
  }
}
