// Finds anchors with equal fingerprints: a hash table with linear probing, filled by all invocations at once. A slot holds
// an anchor's number plus one; whoever finds an anchor with its own fingerprint there is a repeat of it. How many repeats
// there are does not depend on the order; which ones are listed may.

const LISTED = 256u;

@group(0) @binding(0) var<storage, read> anchors: array<u32>;
@group(0) @binding(1) var<storage, read_write> slots: array<atomic<u32>>;
/// Count of repeats, count of anchors, two zeros; then four words for each of the listed: id and element of the repeat, id and element of the first.
@group(0) @binding(2) var<storage, read_write> results: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let capacity = (arrayLength(&anchors) - 4u) / 4u;
  let index = id.y * groups.x * 64u + id.x;
  if (index == 0u) {
    atomicStore(&results[1], anchors[0]);
  }
  if (index >= min(anchors[0], capacity)) {
    return;
  }
  let mine = 4u + 4u * index;
  let a = anchors[mine];
  let b = anchors[mine + 1u];
  // A power of two, at least twice the capacity: there is always an empty slot.
  let mask = arrayLength(&slots) - 1u;
  var slot = a & mask;
  loop {
    let exchange = atomicCompareExchangeWeak(&slots[slot], 0u, index + 1u);
    if (exchange.exchanged) {
      return;
    }
    // May fail for no reason: then look again.
    if (exchange.old_value == 0u) {
      continue;
    }
    let other = 4u + 4u * (exchange.old_value - 1u);
    if (anchors[other] == a && anchors[other + 1u] == b) {
      let place = atomicAdd(&results[0], 1u);
      if (place < LISTED) {
        let at = 4u + 4u * place;
        atomicStore(&results[at], anchors[mine + 2u]);
        atomicStore(&results[at + 1u], anchors[mine + 3u]);
        atomicStore(&results[at + 2u], anchors[other + 2u]);
        atomicStore(&results[at + 3u], anchors[other + 3u]);
      }
      return;
    }
    slot = (slot + 1u) & mask;
  }
}
