//#import "core/job"
//#import "random/libraries/threefry"
// jax.random.bits since 0.5 (jax_threefry_partitionable): element i from counter (hi i, lo i).
// job.counter = the window's first element (low, high). CPU reference: jaxBits in src/generators/jax/jax.ts.

fn jaxBits(index: u32) -> u32 {
  let low = job.counter.x + index;
  let high = job.counter.y + select(0u, 1u, low < index);
  let words = threefry2x32(job.key, vec2<u32>(high, low));
  return words.x ^ words.y;
}
