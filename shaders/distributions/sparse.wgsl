//#import "core/constants"
//#import "random/normal"
//#import "random/philox"
// N(0, std^2) with exactly `zeros` zeros in every column of a [rows, columns] matrix. A keyed permutation of the column's rows
// chooses them: the element in row r is 0 if permutation(r) < zeros. CPU reference: src/random/sparse.ts.
// constants: a = (std, rows, columns, zeros), b = (key low, key high, halfBits). The matrix has fewer than 2^32 elements.

// The fourth word of the counter. It keeps these blocks apart from the blocks of values, which have 0 there.
const SPARSE_TAG = 0x73707273u;
// With only eight rounds the zeros would be spread unevenly in matrices of few rows, where half a Feistel block has only one or
// two bits.
const SPARSE_ROUNDS = 16u;

/// Where `row` goes in a permutation of 0, ..., rows - 1. A Feistel network on 2 halfBits bits, whose round function is Philox,
/// is applied until the result is in range.
fn permutedRow(row: u32, column: u32, rows: u32, halfBits: u32, key: vec2<u32>) -> u32 {
  let mask = (1u << halfBits) - 1u;
  var x = row;
  loop {
    var left = x >> halfBits;
    var right = x & mask;
    for (var round = 0u; round < SPARSE_ROUNDS; round++) {
      let next = left ^ (philox4x32(vec4<u32>(right, column, round, SPARSE_TAG), key).x & mask);
      left = right;
      right = next;
    }
    x = (left << halfBits) | right;
    if (x < rows) {
      break;
    }
  }
  return x;
}

fn sampleWords(words: vec4<u32>, block: vec2<u32>, constants: Constants, zero: u32) -> vec4<f32> {
  var values = normalQuad(words, bitcast<f32>(constants.a.x), 0.0, zero);
  let rows = constants.a.y;
  let columns = constants.a.z;
  for (var lane = 0u; lane < 4u; lane++) {
    let index = block.x * 4u + lane;
    // The last block may extend past the end of the matrix. The values there are not stored.
    if (index / columns < rows && permutedRow(index / columns, index % columns, rows, constants.b.z, constants.b.xy) < constants.a.w) {
      values[lane] = 0.0;
    }
  }
  return values;
}
