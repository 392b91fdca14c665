// The performance targets. Each is a ratio of two rows of the same group and the same run.

/** Rows of a device are those of the adapter in Node. `group` names the group that has both rows. */
const faster = (group, ours, theirs) => ({ group, ours, theirs, kind: 'times as fast', better: 'more' })
const slower = (group, ours, theirs) => ({ group, ours, theirs, kind: 'times the time', better: 'less' })

export const targets = [
  { what: 'normal against tfjs.randomNormal', ...faster('peers', 'normal', 'tfjs.normal'), limit: 10 },
  { what: 'normal against jax-js random.normal', ...faster('peers', 'normal', 'jax.normal'), limit: 5 },
  {
    what: 'Chromium + SwiftShader: normal against tfjs.randomNormal',
    ...faster('browser', 'normal', 'tfjs.normal'),
    limit: 1.5,
  },
  {
    what: 'Chromium + SwiftShader: normal against jax-js random.normal',
    ...faster('browser', 'normal', 'jax.normal'),
    limit: 4,
  },
  { what: 'normal against PyTorch CPU normal_, one thread', ...faster('peers', 'normal', 'torch.normal'), limit: 1.2 },
  {
    what: 'truncated normal against PyTorch CPU trunc_normal_, one thread',
    ...faster('peers', 'truncated', 'torch.truncated'),
    limit: 5,
  },
  { what: 'uniform against our constant fill', ...faster('peers', 'uniform', 'constant'), limit: 0.5 },
  { what: 'normal against our constant fill', ...faster('peers', 'normal', 'constant'), limit: 0.3 },
  {
    what: 'exact normal against the native log/sqrt/sin/cos kernel',
    ...faster('exact', 'exact', 'native'),
    limit: 0.8,
  },
  {
    what: "GPT-2's 148 tensors against one buffer, memory that exists",
    ...slower('gpt2', 'gpt2.into', 'gpt2one.into'),
    limit: 1.1,
  },
  { what: 'the same, new memory', ...slower('gpt2', 'gpt2.fresh', 'gpt2one.fresh'), limit: 1.1 },
  {
    what: '10,000 tensors of 12,288 elements, packed, against one buffer, memory that exists',
    ...slower('many', 'packed.into', 'manyone.into'),
    limit: 1.25,
  },
  { what: 'the same, new memory', ...slower('many', 'packed.fresh', 'manyone.fresh'), limit: 1.25 },
  {
    what: '10,000 tensors of 12,288 elements, a buffer each, against one buffer, memory that exists',
    ...slower('many', 'many.into', 'manyone.into'),
    limit: 1.25,
  },
  { what: 'the same, new memory', ...slower('many', 'many.fresh', 'manyone.fresh'), limit: 1.25 },
  {
    what: 'first call on a new device over a later one, GPT-2, driver cache off',
    group: 'first',
    ours: 'first.cold',
    kind: 'ms more',
    better: 'less',
    limit: 150,
  },
  {
    what: 'the same, driver cache warmed',
    group: 'first',
    ours: 'first.warm',
    kind: 'ms more',
    better: 'less',
    limit: 150,
  },
  {
    what: 'orthogonal against tfjs, at a side that tfjs ends at (see below)',
    ...faster('orthogonal', 'orthogonal.small', 'tfjs.orthogonal'),
    limit: 100,
  },
  {
    what: 'orthogonal 1024 x 1024 against LAPACK through torch.linalg.qr, one thread',
    ...slower('orthogonal', 'orthogonal.1024', 'torch.qr.1'),
    limit: 2,
  },
  { what: 'the same, all threads', ...slower('orthogonal', 'orthogonal.1024', 'torch.qr.all'), limit: 2 },
  { what: 'statistics() against generating', ...slower('checks', 'statistics', 'normal'), limit: 1 },
  { what: 'check(), the statistical tests, against generating', ...slower('checks', 'check', 'normal'), limit: 1 },
  {
    what: 'verify(), every bit against the CPU, against generating',
    ...slower('checks', 'verify', 'normal'),
    limit: 1,
  },
  {
    what: "CPU fallback normal against tfjs's loop, one thread",
    ...faster('cpu', 'fresh.normal', 'tfjs.normal'),
    limit: 2,
  },
  { what: 'normal, float16 against float32, per element', ...slower('peers', 'float16', 'normal'), limit: 1 },
  { what: 'normal, bfloat16 against float32, per element', ...slower('peers', 'bfloat16', 'normal'), limit: 1 },
]

/** A target with its measurement: { what, wanted, measured, verdict }. */
export function judge(target, groups) {
  const sign = target.better === 'more' ? '>=' : '<='
  const wanted = `${sign} ${target.limit} ${target.kind}`
  const group = groups.get(target.group)
  const without = (reason) => ({ what: target.what, wanted, measured: `not run: ${reason}`, verdict: '-' })
  if (group === undefined) return without('left out of this run')
  if (group.reason !== undefined) return without(group.reason)
  const find = (id) => {
    // A peer that could not be loaded has a single row under the peer's name.
    const found = group.rows.find((row) => row.id === id) ?? group.rows.find((row) => id.startsWith(`${row.id}.`))
    return found ?? { reason: `no row ${id}` }
  }
  const ours = find(target.ours)
  const theirs = target.theirs === undefined ? undefined : find(target.theirs)
  const reason = ours.reason ?? theirs?.reason
  if (reason !== undefined) return without(reason)
  const perElement = (row) => row.milliseconds / (row.elements || 1)
  const value =
    theirs === undefined
      ? ours.milliseconds
      : target.better === 'more'
        ? perElement(theirs) / perElement(ours)
        : perElement(ours) / perElement(theirs)
  // The rounded number is judged, so that a measured 0.996 with a limit of 1 is not shown as "1" and missed.
  const shown = Number(theirs === undefined ? value.toFixed(0) : value.toPrecision(3))
  const met = target.better === 'more' ? shown >= target.limit : shown <= target.limit
  return { what: target.what, wanted, measured: `${shown} ${target.kind}`, verdict: met ? 'met' : 'missed' }
}
