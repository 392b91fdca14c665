// Where recorded programs are replayed. The code that does it comes with those who read recordings (readRecording) and
// manifests (rematerialize), so that a page that only initialises models does not carry it.

import { refuse } from '../../core/errors.js'
import type { Distribution } from '../../ir/distribution.js'
import type { GeneratorSource, TorchCpuVariant, TorchProgramSource } from '../../ir/generator.js'
import type { TorchProgram } from '../../ir/program.js'
import type { Drawing, GeneratorSampler } from '../kind.js'

export interface ProgramEngine {
  /** Where each parameter has its values from, for a seed. */
  assign(
    program: TorchProgram,
    seed: bigint,
    variant: TorchCpuVariant,
  ): (drawing: Drawing, distribution: Distribution) => GeneratorSource
  /** A source from outside, checked. */
  read(value: unknown, elementCount: number, where: string): TorchProgramSource
  /** Elements [first, first + count), as float32. */
  sample(source: TorchProgramSource, first: number, count: number): Float32Array
}

let engine: ProgramEngine | undefined

export function installProgramEngine(replayer: ProgramEngine): void {
  engine = replayer
}

export const programEngine = (): ProgramEngine =>
  engine ??
  refuse('UNSUPPORTED_GENERATOR')(
    'Programs of PyTorch are replayed after readRecording was called in the same page, worker or process; call it first.',
  )

/** How the values of a parameter are made that is more than one draw. */
export const torchProgramSampler: GeneratorSampler<'torch-program'> = {
  sample: (_, source, first, count) => programEngine().sample(source, first, count),
  // Orthogonal matrices are drawn plainly, or made as the program says.
  matrixSources: () => [],
}
