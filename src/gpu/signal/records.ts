import { activationCode } from '../../signal/activations.js'
import type { ActivationCall, GroupCall } from '../../signal/kernels.js'
import type { ConvStep } from '../../signal/steps.js'

export type SignalStruct = 'gather' | 'product' | 'activations' | 'affine' | 'add' | 'groups' | 'measure'

/**
 * The fields of the uniform records of shaders/signal, in the order of the shaders; a trailing 'f' marks a float. A test
 * reads the structs from the shaders and compares them.
 */
export const signalStructs: Readonly<Record<SignalStruct, readonly string[]>> = {
  gather: [
    ...['elementCount', 'firstWord', 'firstElement', 'rowLength', 'rowBegin', 'rowEnd', 'columnBegin', 'columnEnd'],
    ...['rowStride', 'columnStride'],
  ],
  product: [
    ...['rowBegin', 'rowEnd', 'columns', 'depth', 'aOffset', 'aStride', 'bStride', 'cOffset', 'cStride', 'accumulate'],
    'scale:f',
  ],
  activations: [
    ...[
      'elementCount',
      'kind',
      'negativeSlope:f',
      'foldScale:f',
      'unitScale:f',
      'flags',
      'slopeLeft:f',
      'slopeRight:f',
    ],
    ...['gradientScale:f', 'unitCount', 'unitStride', 'firstRecord'],
  ],
  affine: ['elementCount', 'unitCount', 'unitStride'],
  add: ['elementCount', 'scaleA:f', 'scaleB:f'],
  groups: [
    ...['groupCount', 'length', 'inner', 'outerStride', 'groupStride', 'flags', 'foldScale:f', 'varianceScale:f'],
    ...['epsilon:f', 'unitScale:f', 'gradientScale:f'],
  ],
  measure: ['elementCount', 'elementsPerGroup'],
}

/** Absent fields are 0. */
export function packSignal(struct: SignalStruct, values: Readonly<Record<string, number>>): ArrayBuffer {
  const fields = signalStructs[struct]
  const view = new DataView(new ArrayBuffer(4 * fields.length))
  fields.forEach((field, index) => {
    const [name = '', type] = field.split(':')
    const value = values[name] ?? 0
    if (type === 'f') view.setFloat32(4 * index, value, true)
    else view.setUint32(4 * index, value, true)
  })
  return view.buffer
}

/** `Convolution` of shaders/signal/convolution.wgsl: six vec3s, each followed by one further word. */
export function packConvolution(step: ConvStep, batch: number, scale: number, backward: boolean): ArrayBuffer {
  const rows = [
    [...step.input, batch],
    [...step.output, step.groups],
    [...step.kernel, step.inChannels],
    [...step.stride, step.outChannels],
    [...step.padding, 0],
    [...step.dilation, (step.circular ? 1 : 0) + (backward ? 2 : 0)],
  ]
  const words = Uint32Array.from(rows.flat())
  new Float32Array(words.buffer)[19] = scale
  return words.buffer
}

const SLOPES = 1
const BACKWARD = 2
const OF_SLOPE = 4

export function activationFields(call: ActivationCall, what: 'forward' | 'backward' | 'slope'): Record<string, number> {
  const { activation, foldScale, unitScale, slopes = [0, 0] } = call
  const flags =
    (call.slopes === undefined ? 0 : SLOPES) + (what === 'backward' ? BACKWARD : 0) + (what === 'slope' ? OF_SLOPE : 0)
  return {
    kind: activationCode(activation),
    negativeSlope: activation.negativeSlope,
    foldScale,
    unitScale,
    flags,
    slopeLeft: slopes[0],
    slopeRight: slopes[1],
  }
}

export const groupFields = (call: GroupCall, backward: boolean, gradientScale = 1): Record<string, number> => ({
  ...call,
  flags: backward ? 1 : 0,
  gradientScale,
})
