//#import "$round"
// Elements of a tensor with an orthogonal distribution, out of the float32 matrices that were made for it: a part of a matrix, a
// segment of a tensor in several buffers, the centres of a delta-orthogonal's kernels. What is written to was set to 0
// before; elements outside the matrices given here stay. Atomics: elements narrower than a word share one.
// Packed by packOrthogonalPart in src/gpu/orthogonal/part-layout.ts; a test compares the two layouts field by field.
// $round: roundToDType(bits) -> the dtype's pattern nearest to the float32 with these bits, ties to even.
// CPU reference: orthogonalElements in src/cpu/orthogonal.ts.

struct OrthogonalPart {
  firstElement: u32,       // index in the whole tensor of the part's first element
  axisCount: u32,
  firstLocal: u32,   // index within the part of the first element to write
  elementCount: u32, // elements to write
  firstWord: u32,    // 32-bit word of the binding where that one goes
  byteWidth: u32,    // bytes per element: 4, 2 or 1
  centre: u32,       // index in the whole tensor of element 0 of the matrices
  stride: u32,       // distance in the tensor from one element of the matrices to the next
  first: u32,        // index of the first element of the matrices that is bound ...
  count: u32,        // ... and the number of elements that are bound
  rows: u32,         // rows of a matrix that is stored transposed; otherwise 1
  columns: u32,      // columns of such a matrix; otherwise all its elements
  axes: array<vec4<u32>, 8>, // (length, stride) of the part's axes, innermost first
}

@group(0) @binding(0) var<storage, read_write> words: array<atomic<u32>>;
@group(0) @binding(1) var<uniform> part: OrthogonalPart;
@group(0) @binding(2) var<storage, read> matrices: array<u32>;

override WORKGROUP_INVOCATIONS: u32 = 64;

/// Index in the whole tensor. CPU reference: elementIndex in src/plan/parts/geometry.ts; 32 bits are enough here.
fn elementIndex(local: u32) -> u32 {
  var rest = local;
  var element = part.firstElement;
  for (var i = 0u; i < part.axisCount; i++) {
    let length = part.axes[i].x;
    element += (rest % length) * part.axes[i].y;
    rest /= length;
  }
  return element;
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let perWord = 4u / part.byteWidth;
  let step = groups.x * WORKGROUP_INVOCATIONS;
  for (var i = id.x; i < part.elementCount; i += step) {
    let element = elementIndex(part.firstLocal + i);
    let ahead = element - part.centre;
    let index = ahead / part.stride;
    if (element < part.centre || ahead % part.stride != 0u || index < part.first || index - part.first >= part.count) {
      continue;
    }
    let within = index % (part.rows * part.columns);
    let turned = (within % part.columns) * part.rows + within / part.columns;
    let at = index - within + turned - part.first;
    let bits = roundToDType(matrices[at]) << (8u * part.byteWidth * (i % perWord));
    atomicOr(&words[part.firstWord + i / perWord], bits);
  }
}
