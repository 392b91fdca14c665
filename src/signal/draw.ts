import { drawJob } from '../fill/make-job.js'
import type { FillJob } from '../ir/job.js'
import { parameterStream } from '../random/keys.js'

/** The draw of an input or a cotangent: N(0, 1) of this package's own generator, from the stream of `name`. */
export const signalDraw = (name: string, elementCount: number, seed: number | bigint): FillJob =>
  drawJob(name, elementCount, { kind: 'normal', mean: 0, std: 1 }, parameterStream(name, seed))
