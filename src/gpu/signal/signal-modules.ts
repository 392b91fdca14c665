import signalActivate from '../../../shaders/signal/activate.wgsl?raw'
import signalActivations from '../../../shaders/signal/activations.wgsl?raw'
import signalAdd from '../../../shaders/signal/add.wgsl?raw'
import signalAffine from '../../../shaders/signal/affine.wgsl?raw'
import signalConvolution from '../../../shaders/signal/convolution.wgsl?raw'
import signalDeadUnits from '../../../shaders/signal/dead_units.wgsl?raw'
import signalGather from '../../../shaders/signal/gather.wgsl?raw'
import signalGroups from '../../../shaders/signal/groups.wgsl?raw'
import signalMeasure from '../../../shaders/signal/measure.wgsl?raw'
import signalNormalize from '../../../shaders/signal/normalize.wgsl?raw'
import signalProduct from '../../../shaders/signal/product.wgsl?raw'
import signalSoftmax from '../../../shaders/signal/softmax.wgsl?raw'

/**
 * The .wgsl files under shaders/signal, by the path that an import directive names. Apart from `shaderModules`, so that a
 * bundle without `propagateSignal` has none of them.
 */
export const signalModules: Readonly<Record<string, string>> = {
  'signal/activate': signalActivate,
  'signal/activations': signalActivations,
  'signal/add': signalAdd,
  'signal/affine': signalAffine,
  'signal/convolution': signalConvolution,
  'signal/dead_units': signalDeadUnits,
  'signal/gather': signalGather,
  'signal/groups': signalGroups,
  'signal/measure': signalMeasure,
  'signal/normalize': signalNormalize,
  'signal/product': signalProduct,
  'signal/softmax': signalSoftmax,
}
