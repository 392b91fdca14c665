enable subgroups;
//#import "orthogonal/rows"
// Rows that the first eight invocations of a subgroup load for all, a vec4 each: a software device makes eight single loads
// of every load, of whatever address.

@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;

/// Where among the rows' vec4s this invocation's lies.
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
