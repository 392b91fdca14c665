//#import "$load"
//#import "statistics/scramble"
// Computes all counts and sums over a run of elements in one pass. Integers go directly to the run's record in `results`.
// Sums go to `partials`, one record per workgroup, and statistics/merge adds them up.
// y = (x - center) * scale is close to N(0, 1). Sums are float32, computed as sums of sums of at most eight terms each.
// $load: loadElement(index) -> f32, which decodes the dtype. Packed by src/gpu/statistics/layout.ts. CPU reference:
// src/statistics/accumulate.ts.

struct MeasureJob {
  elementCount: u32,     // elements of this dispatch
  available: u32,        // elements from the first one to the end of the binding; the last ones are only neighbours
  firstWord: u32,
  shift: u32,            // index of the first element, counted from firstWord
  firstPartial: u32,
  result: u32,           // first word of the run's record
  edgeCount: u32,        // 0 for no histogram
  center: f32,
  scale: f32,
  rowLength: u32,        // 0 for no row correlation
  start: u32,            // index of the first element within its tensor, at most START_LENGTH
  anchorMask: u32,
  anchorCapacity: u32,   // 0 for no anchors
  id: u32,
  unused: vec2<u32>,
}

const LANES = 64u;
/// Elements per workgroup.
const WINDOW = 16384u;
/// In one iteration every lane measures a quad: four elements.
const ITERATIONS_PER_SUM = 8u;
const BINS = 64u;
/// The host sums elements with |y| from here on, so that the fourth powers stay far from overflow.
const WILD = 32768.0;
const START_LENGTH = 1024u;
const FINGERPRINT_LENGTH = 16u;
const INFINITY = 0x7f800000u;
/// Keys below and above those of all finite numbers.
const LEAST = -0x80000000;
const MOST = 0x7fffffff;

const COUNT = 0u;
const NON_FINITE = 1u;
const ZEROS = 2u;
const WILD_COUNT = 3u;
const EQUAL_NEIGHBOURS = 4u;
const MAX_KEY = 5u;
const MIN_KEY = 6u;
const START_HASH = 7u;
const HISTOGRAM = 32u;

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<uniform> job: MeasureJob;
/// For each edge the largest key below it, and MOST behind the last edge.
@group(0) @binding(2) var<uniform> edges: array<vec4<i32>, BINS / 4u>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> results: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> anchors: array<atomic<u32>>;

var<workgroup> counters: array<atomic<u32>, 9>;
var<workgroup> powers: array<vec4<f32>, LANES>;
var<workgroup> products: array<vec2<f32>, LANES>;
/// The number of elements (at most 16384) at or above each edge, in 16 bits: word 2 k + j has edges 4 k + j and 4 k + j + 2.
var<workgroup> above: array<atomic<u32>, BINS / 2u>;

// The lane's own sums. Vectors have a component for each place in a quad. `sum` covers at most ITERATIONS_PER_SUM quads.
var<private> sum1: vec4<f32>;
var<private> sum2: vec4<f32>;
var<private> sum3: vec4<f32>;
var<private> sum4: vec4<f32>;
var<private> sumLag: vec4<f32>;
var<private> sumRow: vec4<f32>;
var<private> total1: vec4<f32>;
var<private> total2: vec4<f32>;
var<private> total3: vec4<f32>;
var<private> total4: vec4<f32>;
var<private> totalLag: vec4<f32>;
var<private> totalRow: vec4<f32>;
var<private> nonFinite: vec4<u32>;
var<private> zeros: vec4<u32>;
var<private> wild: vec4<u32>;
var<private> equal: vec4<u32>;
var<private> maxKey: vec4<i32> = vec4<i32>(LEAST);
var<private> minKey: vec4<i32> = vec4<i32>(MOST);

// The edges, and the number of elements at or above each. On a CPU it is faster to compare with all edges than to search,
// because there is neither a lookup nor an atomic (bench/NOTES.md; no GPU was measured). These are separate variables,
// because an array with a variable index would be in memory instead of registers.
var<private> edge0: vec4<i32>;
var<private> edge1: vec4<i32>;
var<private> edge2: vec4<i32>;
var<private> edge3: vec4<i32>;
var<private> edge4: vec4<i32>;
var<private> edge5: vec4<i32>;
var<private> edge6: vec4<i32>;
var<private> edge7: vec4<i32>;
var<private> edge8: vec4<i32>;
var<private> edge9: vec4<i32>;
var<private> edge10: vec4<i32>;
var<private> edge11: vec4<i32>;
var<private> edge12: vec4<i32>;
var<private> edge13: vec4<i32>;
var<private> edge14: vec4<i32>;
var<private> edge15: vec4<i32>;
var<private> above0: vec4<i32>;
var<private> above1: vec4<i32>;
var<private> above2: vec4<i32>;
var<private> above3: vec4<i32>;
var<private> above4: vec4<i32>;
var<private> above5: vec4<i32>;
var<private> above6: vec4<i32>;
var<private> above7: vec4<i32>;
var<private> above8: vec4<i32>;
var<private> above9: vec4<i32>;
var<private> above10: vec4<i32>;
var<private> above11: vec4<i32>;
var<private> above12: vec4<i32>;
var<private> above13: vec4<i32>;
var<private> above14: vec4<i32>;
var<private> above15: vec4<i32>;

fn loadBits(index: u32) -> u32 {
  return bitcast<u32>(loadElement(job.shift + index));
}

/// Returns infinity for an element that is not bound.
fn loadKnown(index: u32) -> u32 {
  return select(INFINITY, loadBits(index), index < job.available);
}

fn loadQuad(first: u32) -> vec4<u32> {
  return vec4<u32>(loadKnown(first), loadKnown(first + 1u), loadKnown(first + 2u), loadKnown(first + 3u));
}

fn isFinite(bits: vec4<u32>) -> vec4<bool> {
  // This tests the bits, because a device may assume that NaN and infinity do not occur.
  return (bits & vec4<u32>(INFINITY)) != vec4<u32>(INFINITY);
}

fn isZero(bits: vec4<u32>) -> vec4<bool> {
  return (bits & vec4<u32>(0x7fffffffu)) == vec4<u32>(0u);
}

fn standardised(bits: vec4<u32>) -> vec4<f32> {
  return (bitcast<vec4<f32>>(bits) - job.center) * job.scale;
}

/// The factors for the products with neighbours. Elements that are not finite count as the mean.
fn neighbours(bits: vec4<u32>) -> vec4<f32> {
  return select(vec4<f32>(0.0), clamp(standardised(bits), vec4<f32>(-WILD), vec4<f32>(WILD)), isFinite(bits));
}

/// Signed integers with the order of the floats. -0 is the same as 0.
fn orderKeys(bits: vec4<u32>) -> vec4<i32> {
  let word = bitcast<vec4<i32>>(bits);
  return select(word ^ ((word >> vec4<u32>(31u)) & vec4<i32>(0x7fffffff)), vec4<i32>(0), isZero(bits));
}

fn ones(conditions: vec4<bool>) -> vec4<u32> {
  return select(vec4<u32>(0u), vec4<u32>(1u), conditions);
}

fn addAll(terms: vec4<f32>) -> f32 {
  return (terms.x + terms.y) + (terms.z + terms.w);
}

fn countAll(counts: vec4<u32>) -> u32 {
  return counts.x + counts.y + counts.z + counts.w;
}

fn minusOnes(conditions: vec4<bool>) -> vec4<i32> {
  return select(vec4<i32>(0), vec4<i32>(-1), conditions);
}

/// For each of four edges: minus the number of the four keys that are at or above it.
fn countAbove(keys: vec4<i32>, edge: vec4<i32>) -> vec4<i32> {
  return minusOnes(keys.xxxx > edge) + minusOnes(keys.yyyy > edge) + minusOnes(keys.zzzz > edge) + minusOnes(keys.wwww > edge);
}

fn countQuad(keys: vec4<i32>) {
  above0 -= countAbove(keys, edge0);
  above1 -= countAbove(keys, edge1);
  above2 -= countAbove(keys, edge2);
  above3 -= countAbove(keys, edge3);
  above4 -= countAbove(keys, edge4);
  above5 -= countAbove(keys, edge5);
  above6 -= countAbove(keys, edge6);
  above7 -= countAbove(keys, edge7);
  above8 -= countAbove(keys, edge8);
  above9 -= countAbove(keys, edge9);
  above10 -= countAbove(keys, edge10);
  above11 -= countAbove(keys, edge11);
  above12 -= countAbove(keys, edge12);
  above13 -= countAbove(keys, edge13);
  above14 -= countAbove(keys, edge14);
  above15 -= countAbove(keys, edge15);
}

/// The number of edges at or below the key.
fn binOf(key: i32) -> u32 {
  var bin = vec4<u32>(0u);
  for (var k = 0u; k < BINS / 4u; k++) {
    bin += ones(vec4<i32>(key) > edges[k]);
  }
  return countAll(bin);
}

fn rotated(words: vec4<u32>, places: u32) -> vec4<u32> {
  return (words << vec4<u32>(places)) | (words >> vec4<u32>(32u - places));
}

/// Records an element, with a hash of the elements from it on. Its own bits and those of its neighbours chose it, so that a copy
/// elsewhere has it too.
fn noteAnchor(index: u32) {
  if (index + FINGERPRINT_LENGTH > job.available) {
    return;
  }
  var a = 0u;
  var b = 0u;
  // The minimum is always FINGERPRINT_LENGTH, but with a constant the compiler would unroll the loop.
  for (var k = 0u; k < min(FINGERPRINT_LENGTH, job.available - index); k++) {
    let bits = loadBits(index + k);
    a = scramble(a ^ bits);
    b = scramble(b + (bits ^ 0x85ebca6bu));
  }
  let place = atomicAdd(&anchors[0], 1u);
  if (place < job.anchorCapacity) {
    let at = 4u + 4u * place;
    atomicStore(&anchors[at], a);
    atomicStore(&anchors[at + 1u], b);
    atomicStore(&anchors[at + 2u], job.id);
    atomicStore(&anchors[at + 3u], index);
  }
}

/// Measures the elements from `first` on that are before `end`, at most four.
fn measureQuad(first: u32, end: u32) {
  let index = first + vec4<u32>(0u, 1u, 2u, 3u);
  let bits = loadQuad(first);
  let after = loadKnown(first + 4u);
  let inside = index < vec4<u32>(end);
  let finite = inside & isFinite(bits);
  nonFinite += ones(inside & !isFinite(bits));
  zeros += ones(finite & isZero(bits));
  equal += ones(finite & (bits == vec4<u32>(bits.yzw, after)));
  let keys = orderKeys(bits);
  let shown = select(vec4<i32>(LEAST), keys, finite);
  maxKey = max(maxKey, shown);
  minKey = min(minKey, select(vec4<i32>(MOST), keys, finite));
  if (job.edgeCount > 0u) {
    countQuad(shown);
  }
  let distance = standardised(bits);
  let tame = finite & (abs(distance) < vec4<f32>(WILD));
  wild += ones(finite & !tame);
  let y = select(vec4<f32>(0.0), distance, tame);
  let y2 = y * y;
  sum1 += y;
  sum2 += y2;
  sum3 += y2 * y;
  sum4 += y2 * y2;
  let own = neighbours(bits);
  sumLag += y * vec4<f32>(own.yzw, neighbours(vec4<u32>(after)).x);
  if (job.rowLength > 0u && job.rowLength < job.available) {
    // Elements beyond the end are loaded as infinity, which counts as the mean.
    sumRow += y * neighbours(loadQuad(first + job.rowLength));
  }
  if (job.anchorCapacity > 0u) {
    // The element and the next three choose: where there are few numbers, one alone would choose many places or none.
    let last = vec2<u32>(loadKnown(first + 5u), loadKnown(first + 6u));
    let word = bits ^ rotated(vec4<u32>(bits.yzw, after), 8u) ^ rotated(vec4<u32>(bits.zw, after, last.x), 16u) ^
      rotated(vec4<u32>(bits.w, after, last), 24u);
    let hash = vec4<u32>(scramble(word.x), scramble(word.y), scramble(word.z), scramble(word.w));
    let chosen = finite & ((hash & vec4<u32>(job.anchorMask)) == vec4<u32>(0u));
    // This is one loop instead of four calls, because the compiler would inline each call.
    for (var left = dot(ones(chosen), vec4<u32>(1u, 2u, 4u, 8u)); left > 0u; left &= left - 1u) {
      noteAnchor(first + firstTrailingBit(left));
    }
  }
}

fn addSums() {
  total1 += sum1;
  total2 += sum2;
  total3 += sum3;
  total4 += sum4;
  totalLag += sumLag;
  totalRow += sumRow;
  sum1 = vec4<f32>(0.0);
  sum2 = vec4<f32>(0.0);
  sum3 = vec4<f32>(0.0);
  sum4 = vec4<f32>(0.0);
  sumLag = vec4<f32>(0.0);
  sumRow = vec4<f32>(0.0);
}

/// Hashes the bins of the tensor's first elements, if they are in this run.
fn hashStart(lane: u32, end: u32) {
  var a = 0u;
  var b = 0u;
  for (var i = lane; i < end; i += LANES) {
    let bits = vec4<u32>(loadBits(i));
    if (isFinite(bits).x) {
      let bin = binOf(orderKeys(bits).x);
      a += scramble(scramble(bin) ^ (job.start + i));
      b += scramble(scramble(bin ^ 0x85ebca6bu) + (job.start + i));
    }
  }
  atomicAdd(&counters[START_HASH], a);
  atomicAdd(&counters[START_HASH + 1u], b);
}

fn addFour(k: u32, counts: vec4<i32>) {
  let packed = bitcast<vec2<u32>>(counts.xy | (counts.zw << vec2<u32>(16u)));
  atomicAdd(&above[2u * k], packed.x);
  atomicAdd(&above[2u * k + 1u], packed.y);
}

/// The number of the workgroup's elements at or above edge e.
fn aboveEdge(e: u32) -> u32 {
  return (atomicLoad(&above[2u * (e / 4u) + e % 2u]) >> (8u * (e & 2u))) & 0xffffu;
}

/// Adds the lane's counts to those of the workgroup.
fn shareAbove() {
  addFour(0u, above0);
  addFour(1u, above1);
  addFour(2u, above2);
  addFour(3u, above3);
  addFour(4u, above4);
  addFour(5u, above5);
  addFour(6u, above6);
  addFour(7u, above7);
  addFour(8u, above8);
  addFour(9u, above9);
  addFour(10u, above10);
  addFour(11u, above11);
  addFour(12u, above12);
  addFour(13u, above13);
  addFour(14u, above14);
  addFour(15u, above15);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let begin = group.x * WINDOW;
  let end = min(begin + WINDOW, job.elementCount);
  edge0 = edges[0];
  edge1 = edges[1];
  edge2 = edges[2];
  edge3 = edges[3];
  edge4 = edges[4];
  edge5 = edges[5];
  edge6 = edges[6];
  edge7 = edges[7];
  edge8 = edges[8];
  edge9 = edges[9];
  edge10 = edges[10];
  edge11 = edges[11];
  edge12 = edges[12];
  edge13 = edges[13];
  edge14 = edges[14];
  edge15 = edges[15];
  var iteration = 0u;
  for (var first = begin + 4u * lane; first < end; first += 4u * LANES) {
    measureQuad(first, end);
    iteration++;
    if (iteration % ITERATIONS_PER_SUM == 0u) {
      addSums();
    }
  }
  addSums();
  if (group.x == 0u && job.start < START_LENGTH) {
    hashStart(lane, min(end, START_LENGTH - job.start));
  }
  atomicAdd(&counters[NON_FINITE], countAll(nonFinite));
  atomicAdd(&counters[ZEROS], countAll(zeros));
  atomicAdd(&counters[WILD_COUNT], countAll(wild));
  atomicAdd(&counters[EQUAL_NEIGHBOURS], countAll(equal));
  let greatest = max(max(maxKey.x, maxKey.y), max(maxKey.z, maxKey.w));
  let least = min(min(minKey.x, minKey.y), min(minKey.z, minKey.w));
  if (greatest > LEAST) {
    // The keys are stored as unsigned integers, so that 0 in a record means that there is no finite element.
    atomicMax(&counters[MAX_KEY], bitcast<u32>(greatest) ^ 0x80000000u);
    atomicMax(&counters[MIN_KEY], ~(bitcast<u32>(least) ^ 0x80000000u));
  }
  powers[lane] = vec4<f32>(addAll(total1), addAll(total2), addAll(total3), addAll(total4));
  products[lane] = vec2<f32>(addAll(totalLag), addAll(totalRow));
  shareAbove();
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      powers[lane] += powers[lane + half];
      products[lane] += products[lane + half];
    }
    workgroupBarrier();
  }
  let count = end - begin - atomicLoad(&counters[NON_FINITE]);
  if (job.edgeCount > 0u) {
    var before = count;
    if (lane > 0u) {
      before = aboveEdge(lane - 1u);
    }
    let binned = before - aboveEdge(lane);
    if (binned > 0u) {
      atomicAdd(&results[job.result + HISTOGRAM + lane], binned);
    }
  }
  if (lane == MAX_KEY || lane == MIN_KEY) {
    atomicMax(&results[job.result + lane], atomicLoad(&counters[lane]));
  } else if (lane == COUNT) {
    atomicAdd(&results[job.result + lane], count);
    let at = 2u * (job.firstPartial + group.x);
    partials[at] = powers[0];
    partials[at + 1u] = vec4<f32>(products[0], f32(count), 0.0);
  } else if (lane < 9u) {
    atomicAdd(&results[job.result + lane], atomicLoad(&counters[lane]));
  }
}
