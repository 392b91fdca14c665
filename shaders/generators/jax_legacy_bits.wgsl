//#import "core/job"
//#import "random/libraries/threefry"
// jax.random.bits before 0.5: element i shares a block with element i + half, where half = ceil(count / 2). job.counter.x is the
// index of the window's first element, job.constants.c = (half, count). CPU reference: jaxBits in src/generators/jax/jax.ts.

fn jaxBits(index: u32) -> u32 {
  let at = job.counter.x + index;
  let half = job.constants.c.x;
  let second = at >= half;
  let low = select(at, at - half, second);
  let high = select(0u, low + half, low + half < job.constants.c.y);
  let words = threefry2x32(job.key, vec2<u32>(low, high));
  return select(words.x, words.y, second);
}
