import type { SimpleDistribution } from '../ir/generator.js'
import { parameterStream } from '../random/keys.js'
import type { GeneratorDefinition, GeneratorSampler } from './kind.js'
import { isDecimal64 } from './torch/distributions.js'
import { sampleStateless, statelessFoldIn } from './torch/stateless.js'

/**
 * PyTorch's generator with explicit keys (torch.func._random). Every parameter has a key made from its name. The arithmetic is
 * in torch/stateless.ts.
 */
export const torchStatelessGenerator: GeneratorDefinition<'torch-stateless'> = {
  settings: [],
  resolve: () => ({ name: 'torch-stateless' }),
  distributions: ['uniform', 'normal', 'orthogonal'],
  assign:
    (_, seed) =>
    ({ name }) => {
      const stream = parameterStream(name, seed)
      return { generator: 'torch-stateless', seed: String(stream.key), offset: String(stream.counter) }
    },
  sourceFields: { seed: isDecimal64, offset: isDecimal64 },
}

export const torchStatelessSampler: GeneratorSampler<'torch-stateless'> = {
  sample: (distribution: SimpleDistribution, generatorSource, first, count) =>
    sampleStateless({ distribution, generatorSource }, first, count),
  matrixSources: ({ batch }, source) =>
    batch === 1 ? [source] : Array.from({ length: batch }, (_, index) => statelessFoldIn(source, index)),
}
