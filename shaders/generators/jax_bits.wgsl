//#import "core/job"
//#import "random/libraries/threefry"
// jax.random.bits since 0.5 (jax_threefry_partitionable): the counter of element i is (high word of i, low word of i).
// job.counter is the index of the window's first element as (low, high). CPU reference: jaxBits in src/generators/jax/jax.ts.

fn jaxBits(index: u32) -> u32 {
  let low = job.counter.x + index;
  let high = job.counter.y + select(0u, 1u, low < index);
  let words = threefry2x32(job.key, vec2<u32>(high, low));
  return words.x ^ words.y;
}
