import constant from '../../shaders/constant.wgsl?raw'
import job from '../../shaders/core/job.wgsl?raw'
import part from '../../shaders/core/part.wgsl?raw'
import distributionNormal from '../../shaders/distributions/normal.wgsl?raw'
import distributionUniform from '../../shaders/distributions/uniform.wgsl?raw'
import fill from '../../shaders/fill.wgsl?raw'
import fillPart from '../../shaders/fill_part.wgsl?raw'
import loadBfloat16 from '../../shaders/load/bfloat16.wgsl?raw'
import loadFloat16 from '../../shaders/load/float16.wgsl?raw'
import loadFloat32 from '../../shaders/load/float32.wgsl?raw'
import moments from '../../shaders/moments.wgsl?raw'
import probeBoxMuller from '../../shaders/probe/box_muller.wgsl?raw'
import probeDirection from '../../shaders/probe/direction.wgsl?raw'
import probePhilox4x32 from '../../shaders/probe/philox4x32.wgsl?raw'
import probeRadius from '../../shaders/probe/radius.wgsl?raw'
import probeRoundToHalf from '../../shaders/probe/round_to_half.wgsl?raw'
import probeSample from '../../shaders/probe/sample.wgsl?raw'
import probe from '../../shaders/probe.wgsl?raw'
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
  'core/part': part,
  'distributions/normal': distributionNormal,
  'distributions/uniform': distributionUniform,
  fill,
  fill_part: fillPart,
  'load/bfloat16': loadBfloat16,
  'load/float16': loadFloat16,
  'load/float32': loadFloat32,
  moments,
  probe,
  'probe/box_muller': probeBoxMuller,
  'probe/direction': probeDirection,
  'probe/philox4x32': probePhilox4x32,
  'probe/radius': probeRadius,
  'probe/round_to_half': probeRoundToHalf,
  'probe/sample': probeSample,
  'random/normal': randomNormal,
  'random/philox': philox,
  'random/rounded': rounded,
  'store/bfloat16': storeBfloat16,
  'store/float16': storeFloat16,
  'store/float32': storeFloat32,
  'store/half_pair': storeHalfPair,
}
