import constant from '../../shaders/constant.wgsl?raw'
import job from '../../shaders/core/job.wgsl?raw'
import distributionNormal from '../../shaders/distributions/normal.wgsl?raw'
import distributionUniform from '../../shaders/distributions/uniform.wgsl?raw'
import fill from '../../shaders/fill.wgsl?raw'
import linalgCholesky from '../../shaders/linalg/cholesky.wgsl?raw'
import linalgCorrection from '../../shaders/linalg/correction.wgsl?raw'
import linalgGram from '../../shaders/linalg/gram.wgsl?raw'
import linalgLoad from '../../shaders/linalg/load.wgsl?raw'
import linalgProduct from '../../shaders/linalg/product.wgsl?raw'
import linalgRevive from '../../shaders/linalg/revive.wgsl?raw'
import linalgSquares from '../../shaders/linalg/squares.wgsl?raw'
import linalgStore from '../../shaders/linalg/store.wgsl?raw'
import linalgSum from '../../shaders/linalg/sum.wgsl?raw'
import linalgTask from '../../shaders/linalg/task.wgsl?raw'
import linalgWorst from '../../shaders/linalg/worst.wgsl?raw'
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
  'linalg/cholesky': linalgCholesky,
  'linalg/correction': linalgCorrection,
  'linalg/gram': linalgGram,
  'linalg/load': linalgLoad,
  'linalg/product': linalgProduct,
  'linalg/revive': linalgRevive,
  'linalg/squares': linalgSquares,
  'linalg/store': linalgStore,
  'linalg/sum': linalgSum,
  'linalg/task': linalgTask,
  'linalg/worst': linalgWorst,
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
