//#import "$job"
//#import "core/words"
// Repeats a 16-byte pattern (job.constants.a), which holds a whole number of elements of any dtype. Here `elementCount` counts
// bytes, and `shift` is the position of the first byte in its word. The other bytes of a word that belongs only partly to the
// parameter are not changed. If shift is not 0, the pattern's period must divide 4.

fn storePart(index: u32, value: u32, mask: u32) {
  words[index] = (words[index] & ~mask) | (value & mask);
}

/// A mask of bytes [begin, end) of a word, for 0 <= begin < end <= 4.
fn byteMask(begin: u32, end: u32) -> u32 {
  let below = 0xffffffffu << (8u * begin);
  return select(below & ((1u << (8u * end)) - 1u), below, end == 4u);
}

@compute @workgroup_size(WORKGROUP_INVOCATIONS)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  takeJob(id.y);
  let pattern = job.constants.a;
  let head = min(select(0u, 4u - job.shift, job.shift != 0u), job.elementCount);
  let firstWord = job.firstWord + select(0u, 1u, head != 0u);
  let wordCount = (job.elementCount - head) >> 2u;
  let tail = (job.elementCount - head) & 3u;
  let stride = groups.x * WORKGROUP_INVOCATIONS;
  for (var quad = id.x; quad * 4u < wordCount; quad += stride) {
    let first = quad * 4u;
    let base = firstWord + first;
    words[base] = pattern.x;
    if (first + 3u < wordCount) {
      words[base + 1u] = pattern.y;
      words[base + 2u] = pattern.z;
      words[base + 3u] = pattern.w;
    } else {
      if (first + 1u < wordCount) {
        words[base + 1u] = pattern.y;
      }
      if (first + 2u < wordCount) {
        words[base + 2u] = pattern.z;
      }
    }
  }
  if (id.x == 0u) {
    if (head != 0u) {
      storePart(job.firstWord, pattern.x, byteMask(job.shift, job.shift + head));
    }
    if (tail != 0u) {
      storePart(firstWord + wordCount, pattern[wordCount & 3u], byteMask(0u, tail));
    }
  }
}
