// Finds anchors with equal fingerprints, by a hash table with linear probing that all invocations fill at the same time. A
// slot holds an anchor's number plus one. An anchor that finds its own fingerprint in a slot is a repeat of the anchor there.
// The number of repeats does not depend on the order of the invocations, but the choice of those that are listed may.

const LISTED = 256u;

@group(0) @binding(0) var<storage, read> anchors: array<u32>;
@group(0) @binding(1) var<storage, read_write> slots: array<atomic<u32>>;
/// Number of repeats, number of anchors, two zeros; then four words per listed repeat: its id and element, those of the first.
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
  // The number of slots is a power of two and at least twice the capacity, so there is always an empty slot.
  let mask = arrayLength(&slots) - 1u;
  var slot = a & mask;
  loop {
    let exchange = atomicCompareExchangeWeak(&slots[slot], 0u, index + 1u);
    if (exchange.exchanged) {
      return;
    }
    // The exchange may fail without a reason. Then it is tried again.
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
