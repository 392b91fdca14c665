//#import "$load"
//#import "statistics/scramble"
// Everything that is counted or summed over a run of elements, in one pass. Integers go straight to the run's record in
// `results`; sums go to `partials`, one record per workgroup, which statistics/merge adds up.
// y = (x - center) * scale, near N(0, 1). Sums are float32, of sums of sums: none has more than eight terms.
// $load: loadElement(index) -> f32, decoding the dtype. Packed by src/gpu/measure-layout.ts; twin: src/statistics/accumulate.ts.

struct MeasureJob {
  elementCount: u32,     // elements of this dispatch
  available: u32,        // elements from its first one to the end of what is bound: the last ones are only neighbours
  firstWord: u32,
  shift: u32,            // index of its first element, counted from firstWord
  firstPartial: u32,
  result: u32,           // first word of the run's record
  firstEdge: u32,
  edgeCount: u32,        // 0: no histogram
  center: f32,
  scale: f32,
  rowLength: u32,        // 0: no row correlation
  start: u32,            // index of the first element within its tensor, at most START_LENGTH
  anchorMask: u32,
  anchorCapacity: u32,   // 0: no anchors
  id: u32,
  unused: u32,
}

const LANES = 64u;
const QUADS_PER_GROUP = 4096u;
const QUADS_PER_SUM = 8u;
const BINS = 64u;
/// |y| from which on the host sums itself: fourth powers stay far from overflow.
const WILD = 32768.0;
const START_LENGTH = 1024u;
const FINGERPRINT_LENGTH = 16u;

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
@group(0) @binding(2) var<storage, read> allEdges: array<u32>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> results: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> anchors: array<atomic<u32>>;

var<workgroup> edges: array<u32, BINS>;
var<workgroup> bins: array<atomic<u32>, BINS>;
var<workgroup> counters: array<atomic<u32>, 9>;
var<workgroup> powers: array<vec4<f32>, LANES>;
var<workgroup> products: array<vec2<f32>, LANES>;

fn loadBits(index: u32) -> u32 {
  return bitcast<u32>(loadElement(job.shift + index));
}

fn isFinite(bits: u32) -> bool {
  // By bits: a device may assume that NaN and infinity do not occur.
  return (bits & 0x7f800000u) != 0x7f800000u;
}

fn standardised(bits: u32) -> f32 {
  return (bitcast<f32>(bits) - job.center) * job.scale;
}

/// Unsigned integers in the order of the floats; -0 is 0.
fn orderKey(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) == 0u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

/// How many edges are at or below the key.
fn binOf(key: u32) -> u32 {
  var bin = 0u;
  for (var jump = BINS / 2u; jump > 0u; jump /= 2u) {
    bin += select(0u, jump, edges[bin + jump - 1u] <= key);
  }
  return bin;
}

/// Notes an element that its own bits choose, so that a copy elsewhere has the same ones, with a hash of what follows it.
fn noteAnchor(index: u32) {
  var a = 0u;
  var b = 0u;
  for (var k = 0u; k < FINGERPRINT_LENGTH; k++) {
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

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  edges[lane] = 0xffffffffu;
  if (lane < job.edgeCount) {
    edges[lane] = allEdges[job.firstEdge + lane];
  }
  workgroupBarrier();
  let begin = group.x * QUADS_PER_GROUP * 4u;
  let end = min(begin + QUADS_PER_GROUP * 4u, job.elementCount);
  var powerSums = vec4<f32>(0.0);
  var productSums = vec2<f32>(0.0);
  var count = 0u;
  var nonFinite = 0u;
  var zeros = 0u;
  var wild = 0u;
  var equal = 0u;
  var maxKey = 0u;
  var minKey = 0u;
  var hashA = 0u;
  var hashB = 0u;
  for (var outer = lane; outer < QUADS_PER_GROUP; outer += LANES * QUADS_PER_SUM) {
    if (begin + 4u * outer >= end) {
      break;
    }
    var powerSum = vec4<f32>(0.0);
    var productSum = vec2<f32>(0.0);
    for (var q = 0u; q < QUADS_PER_SUM; q++) {
      let first = begin + 4u * (outer + q * LANES);
      if (first >= end) {
        break;
      }
      var quadPowers = vec4<f32>(0.0);
      var quadProducts = vec2<f32>(0.0);
      var bits = loadBits(first);
      for (var i = first; i < min(first + 4u, end); i++) {
        var next = 0x7f800000u;
        if (i + 1u < job.available) {
          next = loadBits(i + 1u);
        }
        if (!isFinite(bits)) {
          nonFinite += 1u;
        } else {
          count += 1u;
          zeros += select(0u, 1u, (bits & 0x7fffffffu) == 0u);
          let key = orderKey(bits);
          maxKey = max(maxKey, key);
          minKey = max(minKey, ~key);
          var bin = 0u;
          if (job.edgeCount > 0u) {
            bin = binOf(key);
            atomicAdd(&bins[bin], 1u);
          }
          let y = standardised(bits);
          if (abs(y) < WILD) {
            let y2 = y * y;
            quadPowers += vec4<f32>(y, y2, y2 * y, y2 * y2);
            if (isFinite(next)) {
              quadProducts.x += y * clamp(standardised(next), -WILD, WILD);
            }
            if (job.rowLength > 0u && job.rowLength < job.available && i < job.available - job.rowLength) {
              let below = loadBits(i + job.rowLength);
              if (isFinite(below)) {
                quadProducts.y += y * clamp(standardised(below), -WILD, WILD);
              }
            }
          } else {
            wild += 1u;
          }
          equal += select(0u, 1u, bits == next);
          let index = job.start + i;
          if (index < START_LENGTH) {
            hashA += scramble(scramble(bin) ^ index);
            hashB += scramble(scramble(bin ^ 0x85ebca6bu) + index);
          }
          if (job.anchorCapacity > 0u && (scramble(bits) & job.anchorMask) == 0u && i + FINGERPRINT_LENGTH <= job.available) {
            noteAnchor(i);
          }
        }
        bits = next;
      }
      powerSum += quadPowers;
      productSum += quadProducts;
    }
    powerSums += powerSum;
    productSums += productSum;
  }
  atomicAdd(&counters[COUNT], count);
  atomicAdd(&counters[NON_FINITE], nonFinite);
  atomicAdd(&counters[ZEROS], zeros);
  atomicAdd(&counters[WILD_COUNT], wild);
  atomicAdd(&counters[EQUAL_NEIGHBOURS], equal);
  atomicMax(&counters[MAX_KEY], maxKey);
  atomicMax(&counters[MIN_KEY], minKey);
  atomicAdd(&counters[START_HASH], hashA);
  atomicAdd(&counters[START_HASH + 1u], hashB);
  powers[lane] = powerSums;
  products[lane] = productSums;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      powers[lane] += powers[lane + half];
      products[lane] += products[lane + half];
    }
    workgroupBarrier();
  }
  let binned = atomicLoad(&bins[lane]);
  if (binned > 0u) {
    atomicAdd(&results[job.result + HISTOGRAM + lane], binned);
  }
  if (lane < 9u) {
    let value = atomicLoad(&counters[lane]);
    if (lane == MAX_KEY || lane == MIN_KEY) {
      atomicMax(&results[job.result + lane], value);
    } else {
      atomicAdd(&results[job.result + lane], value);
    }
  }
  if (lane == 0u) {
    let at = 2u * (job.firstPartial + group.x);
    partials[at] = powers[0];
    partials[at + 1u] = vec4<f32>(products[0], f32(atomicLoad(&counters[COUNT])), 0.0);
  }
}
