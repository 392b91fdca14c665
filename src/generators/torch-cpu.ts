import { refuse, show } from '../core/errors.js'
import { isInteger } from '../core/integers.js'
import type { DrawingDistribution, TorchCpuSource } from '../ir/generator.js'
import type { TorchProgram } from '../ir/program.js'
import type { GeneratorDefinition, GeneratorSampler } from './kind.js'
import { cursorOf } from './torch/calls.js'
import { advanceTorch, TORCH_BLOCK, type TorchCursor } from './torch/cpu.js'
import {
  checkTorchDistribution,
  elementsOfCall,
  LAST_POSITION,
  torchDistributions,
  torchSampler,
} from './torch/distributions.js'
import { permutationWords } from './torch/sparse.js'
import { afterTruncated } from './torch/truncated.js'

/**
 * PyTorch's generator on the CPU: one stream, from which the parameters take words in the model's order. The arithmetic is in
 * torch/cpu.ts.
 */
export const torchCpuGenerator: GeneratorDefinition<'torch-cpu'> = {
  settings: ['variant', 'truncation', 'program'],
  resolve({ variant = 'fma', truncation = 'rejection', program }) {
    const fail = refuse('UNSUPPORTED_GENERATOR', 'generator torch-cpu: ')
    if (variant !== 'fma' && variant !== 'no-contraction') {
      return fail(`variant must be 'fma' or 'no-contraction', but found ${show(variant)}.`)
    }
    if (truncation !== 'rejection' && truncation !== 'inversion') {
      return fail(`truncation must be 'rejection' or 'inversion', but found ${show(truncation)}.`)
    }
    // What a program says is checked where it is replayed.
    const replayed = program === undefined ? {} : { program: program as TorchProgram }
    return { name: 'torch-cpu', variant, truncation, ...replayed }
  },
  distributions: torchDistributions,
  check(distribution, { name, truncation }, where) {
    checkTorchDistribution(distribution, name, truncation === 'rejection', where)
  },
  assign({ variant, truncation }, seed) {
    // Only drawing a truncated normal tells how many words it takes. This is delayed until another parameter draws after it.
    let cursor = (): TorchCursor => ({ position: 0 })
    return ({ elementCount: count }, distribution) => {
      const { position, cachedAt } = cursor()
      const small = distribution.kind !== 'uniform' && elementsOfCall(distribution, count) < TORCH_BLOCK
      const source: TorchCpuSource = {
        generator: 'torch-cpu',
        variant,
        draw: distribution.kind,
        ...(distribution.kind === 'truncated-normal' ? { truncation } : {}),
        seed: Number(seed & 0xffff_ffffn),
        position,
        count,
      }
      const here = cachedAt === undefined ? source : { ...source, cachedAt }
      let after: TorchCursor | undefined
      cursor = () => (after ??= cursorAfter(distribution, here))
      return small ? here : source
    }
  },
  sourceFields: {
    variant: (x) => x === 'fma' || x === 'no-contraction',
    draw: (x, { drawn, distribution }) =>
      drawn ? x === distribution.kind : (torchDistributions as readonly unknown[]).includes(x),
    truncation: (x, { source, settings }) =>
      x === (source.draw === 'truncated-normal' ? settings.truncation : undefined),
    seed: (x) => isInteger(x, 0, 2 ** 32 - 1),
    position: (x) => isInteger(x, 0, LAST_POSITION),
    count: (x, { elementCount }) => x === elementCount,
    cachedAt: (x) => x === undefined || isInteger(x, 0, LAST_POSITION),
  },
}

export const torchCpuSampler: GeneratorSampler<'torch-cpu'> = /* @__PURE__ */ torchSampler(
  (generatorSource) => ({ generatorSource }),
  (source, count) => ({ generatorSource: { ...source, draw: 'normal', count } }),
)

/** The place where the next call begins. `source` must contain the cached normal, if there is one. */
function cursorAfter(distribution: DrawingDistribution, source: TorchCpuSource): TorchCursor {
  const { count, truncation } = source
  const cursor = cursorOf(source)
  switch (distribution.kind) {
    case 'uniform':
    case 'normal':
      return advanceTorch(cursor, distribution.kind, count)
    case 'truncated-normal':
      if (truncation === 'inversion') return advanceTorch(cursor, 'uniform', count)
      return cursorOf(afterTruncated(distribution, { generatorSource: source }, count).generatorSource)
    case 'sparse': {
      const { position, ...rest } = advanceTorch(cursor, 'normal', count)
      return { position: position + permutationWords(distribution), ...rest }
    }
    case 'orthogonal': {
      let after = cursor
      const each = elementsOfCall(distribution, count)
      for (let i = 0; i < distribution.batch; i++) after = advanceTorch(after, 'normal', each)
      return after
    }
  }
}
