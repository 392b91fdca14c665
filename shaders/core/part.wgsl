// A rectangular part of a tensor: where the element with a given number inside the window lies in the whole tensor.
// Packed by src/gpu/fill/part-layout.ts; a test compares the two layouts field by field.

struct PartAxis {
  length: u32,       // steps along the axis, at most 2^31; 0: longer, see room
  digit: u32,        // position of the window's first element; 0 where length is 0
  stride: vec2<u32>, // elements of the whole tensor per step (low, high)
  room: u32,         // of a longer axis: steps until its end, or 2^32 - 1; the window ends before a second one
  unused: u32,
  begin: vec2<u32>,  // of a longer axis: position of the window's first element, times stride (low, high)
}

struct Part {
  firstElement: vec2<u32>, // element index of the part's first element in the whole tensor (low, high)
  axisCount: u32,
  unused: u32,
  axes: array<PartAxis, 8>, // innermost first; the first has stride 1
}

@group(0) @binding(2) var<uniform> part: Part;
