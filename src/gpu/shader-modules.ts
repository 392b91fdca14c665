import constant from '../../shaders/constant.wgsl?raw'
import job from '../../shaders/core/job.wgsl?raw'
import coreLaw from '../../shaders/core/law.wgsl?raw'
import diagonal from '../../shaders/diagonal.wgsl?raw'
import distributionNormal from '../../shaders/distributions/normal.wgsl?raw'
import distributionSparse from '../../shaders/distributions/sparse.wgsl?raw'
import distributionTruncatedNormal from '../../shaders/distributions/truncated_normal.wgsl?raw'
import distributionUniform from '../../shaders/distributions/uniform.wgsl?raw'
import fill from '../../shaders/fill.wgsl?raw'
import loadBfloat16 from '../../shaders/load/bfloat16.wgsl?raw'
import loadFloat16 from '../../shaders/load/float16.wgsl?raw'
import loadFloat32 from '../../shaders/load/float32.wgsl?raw'
import moments from '../../shaders/moments.wgsl?raw'
import inverseNormal from '../../shaders/random/inverse_normal.wgsl?raw'
import logarithm from '../../shaders/random/logarithm.wgsl?raw'
import randomNormal from '../../shaders/random/normal.wgsl?raw'
import philox from '../../shaders/random/philox.wgsl?raw'
import rounded from '../../shaders/random/rounded.wgsl?raw'
import squareRoot from '../../shaders/random/square_root.wgsl?raw'
import storeBfloat16 from '../../shaders/store/bfloat16.wgsl?raw'
import storeFloat16 from '../../shaders/store/float16.wgsl?raw'
import storeFloat32 from '../../shaders/store/float32.wgsl?raw'
import storeHalfPair from '../../shaders/store/half_pair.wgsl?raw'

/** Every .wgsl file under shaders/, by the path that an import directive names. */
export const shaderModules: Readonly<Record<string, string>> = {
  'core/law': coreLaw,
  diagonal,
  'distributions/sparse': distributionSparse,
  'distributions/truncated_normal': distributionTruncatedNormal,
  'random/inverse_normal': inverseNormal,
  'random/logarithm': logarithm,
  'random/square_root': squareRoot,
  constant,
  'core/job': job,
  'distributions/normal': distributionNormal,
  'distributions/uniform': distributionUniform,
  fill,
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
