import constant from '../../../shaders/constant.wgsl?raw'
import job from '../../../shaders/core/job.wgsl?raw'
import coreJobStruct from '../../../shaders/core/job_struct.wgsl?raw'
import coreJobs from '../../../shaders/core/jobs.wgsl?raw'
import coreLaw from '../../../shaders/core/law.wgsl?raw'
import part from '../../../shaders/core/part.wgsl?raw'
import coreWords from '../../../shaders/core/words.wgsl?raw'
import diagonal from '../../../shaders/diagonal.wgsl?raw'
import distributionNormal from '../../../shaders/distributions/normal.wgsl?raw'
import distributionSparse from '../../../shaders/distributions/sparse.wgsl?raw'
import distributionTruncatedNormal from '../../../shaders/distributions/truncated_normal.wgsl?raw'
import distributionUniform from '../../../shaders/distributions/uniform.wgsl?raw'
import fill from '../../../shaders/fill.wgsl?raw'
import fillPart from '../../../shaders/fill_part.wgsl?raw'
import generatorsAffine from '../../../shaders/generators/affine.wgsl?raw'
import generatorsFill from '../../../shaders/generators/fill.wgsl?raw'
import generatorsGiven from '../../../shaders/generators/given.wgsl?raw'
import generatorsJaxBits from '../../../shaders/generators/jax_bits.wgsl?raw'
import generatorsJaxLegacyBits from '../../../shaders/generators/jax_legacy_bits.wgsl?raw'
import generatorsJaxNormal from '../../../shaders/generators/jax_normal.wgsl?raw'
import generatorsJaxTruncatedNormal from '../../../shaders/generators/jax_truncated_normal.wgsl?raw'
import generatorsJaxUniform from '../../../shaders/generators/jax_uniform.wgsl?raw'
import generatorsScaled from '../../../shaders/generators/scaled.wgsl?raw'
import generatorsStatelessNormal from '../../../shaders/generators/stateless_normal.wgsl?raw'
import generatorsStatelessUniform from '../../../shaders/generators/stateless_uniform.wgsl?raw'
import generatorsTorchCpuNormal from '../../../shaders/generators/torch_cpu_normal.wgsl?raw'
import generatorsTorchCpuUniform from '../../../shaders/generators/torch_cpu_uniform.wgsl?raw'
import generatorsTorchCuda from '../../../shaders/generators/torch_cuda.wgsl?raw'
import generatorsTorchCudaNormal from '../../../shaders/generators/torch_cuda_normal.wgsl?raw'
import generatorsTorchCudaUniform from '../../../shaders/generators/torch_cuda_uniform.wgsl?raw'
import generatorsUploaded from '../../../shaders/generators/uploaded.wgsl?raw'
import linalgApply from '../../../shaders/linalg/apply.wgsl?raw'
import linalgBothWays from '../../../shaders/linalg/both_ways.wgsl?raw'
import linalgCholesky from '../../../shaders/linalg/cholesky.wgsl?raw'
import linalgCombine from '../../../shaders/linalg/combine.wgsl?raw'
import linalgDefect from '../../../shaders/linalg/defect.wgsl?raw'
import linalgGram from '../../../shaders/linalg/gram.wgsl?raw'
import linalgInputs from '../../../shaders/linalg/inputs.wgsl?raw'
import linalgLoad from '../../../shaders/linalg/load.wgsl?raw'
import linalgParts from '../../../shaders/linalg/parts.wgsl?raw'
import linalgRevive from '../../../shaders/linalg/revive.wgsl?raw'
import linalgRows from '../../../shaders/linalg/rows.wgsl?raw'
import linalgRowsSubgroup from '../../../shaders/linalg/rows_subgroup.wgsl?raw'
import linalgRowsWindow from '../../../shaders/linalg/rows_window.wgsl?raw'
import linalgStore from '../../../shaders/linalg/store.wgsl?raw'
import linalgSubtract from '../../../shaders/linalg/subtract.wgsl?raw'
import linalgTask from '../../../shaders/linalg/task.wgsl?raw'
import loadBfloat16 from '../../../shaders/load/bfloat16.wgsl?raw'
import loadFloat16 from '../../../shaders/load/float16.wgsl?raw'
import loadFloat32 from '../../../shaders/load/float32.wgsl?raw'
import orthogonalPart from '../../../shaders/orthogonal_part.wgsl?raw'
import probeBoxMuller from '../../../shaders/probe/box_muller.wgsl?raw'
import probeDirection from '../../../shaders/probe/direction.wgsl?raw'
import probePhiloxBlock from '../../../shaders/probe/philox_block.wgsl?raw'
import probePhilox4x32 from '../../../shaders/probe/philox4x32.wgsl?raw'
import probeRadius from '../../../shaders/probe/radius.wgsl?raw'
import probeRoundToHalf from '../../../shaders/probe/round_to_half.wgsl?raw'
import probeSample from '../../../shaders/probe/sample.wgsl?raw'
import probe from '../../../shaders/probe.wgsl?raw'
import cephes from '../../../shaders/random/cephes.wgsl?raw'
import curand from '../../../shaders/random/curand.wgsl?raw'
import erfInv from '../../../shaders/random/erf_inv.wgsl?raw'
import exactSquareRoot from '../../../shaders/random/exact_square_root.wgsl?raw'
import fma from '../../../shaders/random/fma.wgsl?raw'
import inverseNormal from '../../../shaders/random/inverse_normal.wgsl?raw'
import logarithm from '../../../shaders/random/logarithm.wgsl?raw'
import mulAddFused from '../../../shaders/random/mul_add_fused.wgsl?raw'
import mulAddSplit from '../../../shaders/random/mul_add_split.wgsl?raw'
import randomNormal from '../../../shaders/random/normal.wgsl?raw'
import philox from '../../../shaders/random/philox.wgsl?raw'
import rounded from '../../../shaders/random/rounded.wgsl?raw'
import squareRoot from '../../../shaders/random/square_root.wgsl?raw'
import threefry from '../../../shaders/random/threefry.wgsl?raw'
import statisticsDoubleFloat from '../../../shaders/statistics/double_float.wgsl?raw'
import statisticsMeasure from '../../../shaders/statistics/measure.wgsl?raw'
import statisticsMerge from '../../../shaders/statistics/merge.wgsl?raw'
import statisticsRepeats from '../../../shaders/statistics/repeats.wgsl?raw'
import statisticsScramble from '../../../shaders/statistics/scramble.wgsl?raw'
import storeBfloat16 from '../../../shaders/store/bfloat16.wgsl?raw'
import storeFloat16 from '../../../shaders/store/float16.wgsl?raw'
import storeFloat32 from '../../../shaders/store/float32.wgsl?raw'
import storeFloat32Quad from '../../../shaders/store/float32_quad.wgsl?raw'
import storeHalfPair from '../../../shaders/store/half_pair.wgsl?raw'
import storeHalfQuad from '../../../shaders/store/half_quad.wgsl?raw'

/** Every .wgsl file under shaders/, by the path that an import directive names. */
export const shaderModules: Readonly<Record<string, string>> = {
  'core/law': coreLaw,
  diagonal,
  'distributions/sparse': distributionSparse,
  'distributions/truncated_normal': distributionTruncatedNormal,
  'random/inverse_normal': inverseNormal,
  'random/logarithm': logarithm,
  constant,
  'core/job': job,
  'core/jobs': coreJobs,
  'core/words': coreWords,
  'core/job_struct': coreJobStruct,
  orthogonal_part: orthogonalPart,
  'distributions/normal': distributionNormal,
  'distributions/uniform': distributionUniform,
  fill,
  'linalg/cholesky': linalgCholesky,
  'linalg/both_ways': linalgBothWays,
  'linalg/combine': linalgCombine,
  'linalg/defect': linalgDefect,
  'linalg/gram': linalgGram,
  'linalg/apply': linalgApply,
  'linalg/subtract': linalgSubtract,
  'linalg/inputs': linalgInputs,
  'linalg/load': linalgLoad,
  'linalg/parts': linalgParts,
  'linalg/revive': linalgRevive,
  'linalg/rows': linalgRows,
  'linalg/rows_subgroup': linalgRowsSubgroup,
  'linalg/rows_window': linalgRowsWindow,
  'linalg/store': linalgStore,
  'linalg/task': linalgTask,
  'core/part': part,
  fill_part: fillPart,
  'load/bfloat16': loadBfloat16,
  'load/float16': loadFloat16,
  'load/float32': loadFloat32,
  probe,
  'probe/box_muller': probeBoxMuller,
  'probe/direction': probeDirection,
  'probe/philox4x32': probePhilox4x32,
  'probe/philox_block': probePhiloxBlock,
  'probe/radius': probeRadius,
  'probe/round_to_half': probeRoundToHalf,
  'probe/sample': probeSample,
  'random/normal': randomNormal,
  'random/exact_square_root': exactSquareRoot,
  'random/square_root': squareRoot,
  'random/philox': philox,
  'random/rounded': rounded,
  'statistics/double_float': statisticsDoubleFloat,
  'statistics/measure': statisticsMeasure,
  'statistics/merge': statisticsMerge,
  'statistics/repeats': statisticsRepeats,
  'statistics/scramble': statisticsScramble,
  'store/bfloat16': storeBfloat16,
  'store/float16': storeFloat16,
  'store/float32': storeFloat32,
  'store/float32_quad': storeFloat32Quad,
  'store/half_pair': storeHalfPair,
  'store/half_quad': storeHalfQuad,
  'generators/affine': generatorsAffine,
  'generators/fill': generatorsFill,
  'generators/jax_bits': generatorsJaxBits,
  'generators/jax_legacy_bits': generatorsJaxLegacyBits,
  'generators/jax_normal': generatorsJaxNormal,
  'generators/jax_truncated_normal': generatorsJaxTruncatedNormal,
  'generators/jax_uniform': generatorsJaxUniform,
  'generators/scaled': generatorsScaled,
  'generators/stateless_normal': generatorsStatelessNormal,
  'generators/stateless_uniform': generatorsStatelessUniform,
  'generators/given': generatorsGiven,
  'generators/torch_cpu_normal': generatorsTorchCpuNormal,
  'generators/torch_cpu_uniform': generatorsTorchCpuUniform,
  'generators/torch_cuda': generatorsTorchCuda,
  'generators/torch_cuda_normal': generatorsTorchCudaNormal,
  'generators/torch_cuda_uniform': generatorsTorchCudaUniform,
  'generators/uploaded': generatorsUploaded,
  'random/cephes': cephes,
  'random/curand': curand,
  'random/erf_inv': erfInv,
  'random/fma': fma,
  'random/mul_add_fused': mulAddFused,
  'random/mul_add_split': mulAddSplit,
  'random/threefry': threefry,
}
