import constant from '../../shaders/constant.wgsl?raw'
import job from '../../shaders/core/job.wgsl?raw'
import distributionNormal from '../../shaders/distributions/normal.wgsl?raw'
import distributionUniform from '../../shaders/distributions/uniform.wgsl?raw'
import fill from '../../shaders/fill.wgsl?raw'
import linalgCheck from '../../shaders/linalg/check.wgsl?raw'
import linalgCholesky from '../../shaders/linalg/cholesky.wgsl?raw'
import linalgCombine from '../../shaders/linalg/combine.wgsl?raw'
import linalgDefect from '../../shaders/linalg/defect.wgsl?raw'
import linalgGram from '../../shaders/linalg/gram.wgsl?raw'
import linalgInputs from '../../shaders/linalg/inputs.wgsl?raw'
import linalgLoad from '../../shaders/linalg/load.wgsl?raw'
import linalgRevive from '../../shaders/linalg/revive.wgsl?raw'
import linalgStore from '../../shaders/linalg/store.wgsl?raw'
import linalgTask from '../../shaders/linalg/task.wgsl?raw'
import loadBfloat16 from '../../shaders/load/bfloat16.wgsl?raw'
import loadFloat16 from '../../shaders/load/float16.wgsl?raw'
import loadFloat32 from '../../shaders/load/float32.wgsl?raw'
import moments from '../../shaders/moments.wgsl?raw'
import randomNormal from '../../shaders/random/normal.wgsl?raw'
import philox from '../../shaders/random/philox.wgsl?raw'
import rounded from '../../shaders/random/rounded.wgsl?raw'
import storeBfloat16 from '../../shaders/store/bfloat16.wgsl?raw'
import storeFloat16 from '../../shaders/store/float16.wgsl?raw'
import storeFloat32 from '../../shaders/store/float32.wgsl?raw'
import storeHalfPair from '../../shaders/store/half_pair.wgsl?raw'

/** Every .wgsl file under shaders/, by the path that an import directive names. */
export const shaderModules: Readonly<Record<string, string>> = {
  constant,
  'core/job': job,
  'distributions/normal': distributionNormal,
  'distributions/uniform': distributionUniform,
  fill,
  'linalg/check': linalgCheck,
  'linalg/cholesky': linalgCholesky,
  'linalg/combine': linalgCombine,
  'linalg/defect': linalgDefect,
  'linalg/gram': linalgGram,
  'linalg/inputs': linalgInputs,
  'linalg/load': linalgLoad,
  'linalg/revive': linalgRevive,
  'linalg/store': linalgStore,
  'linalg/task': linalgTask,
  'load/bfloat16': loadBfloat16,
  'load/float16': loadFloat16,
  'load/float32': loadFloat32,
  moments,
  'random/normal': randomNormal,
  'random/philox': philox,
  'random/rounded': rounded,
  'store/bfloat16': storeBfloat16,
  'store/float16': storeFloat16,
  'store/float32': storeFloat32,
  'store/half_pair': storeHalfPair,
}
