enable subgroups;
//#import "orthogonal/rows"
// The first eight invocations of a subgroup load the rows for all of them, one vec4 each. A software device executes every
// load as eight single loads, even if all invocations load from the same address.

@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;

/// The index of this invocation's vec4 among those of the rows.
fn place() -> u32 {
  let number = subgroupExclusiveAdd(1u);
  return ((number >> 2u) & 1u) * 8u + (number & 3u);
}

fn rows(p: u32) -> Rows {
  let own = a[p];
  return Rows(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, 3u),
    subgroupBroadcast(own, 4u),
    subgroupBroadcast(own, 5u),
    subgroupBroadcast(own, 6u),
    subgroupBroadcast(own, 7u),
  );
}
