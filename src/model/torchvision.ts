import { refuseUnknownKeys, show, WeightInitError } from '../core/errors.js'
import type { Model } from '../ir/parameter.js'
import { batchNorm, conv2d, linear } from './layers.js'
import { sequential } from './sequential.js'

export interface VisionModelOptions {
  /** The number of the classifier's outputs. Default 1000. */
  readonly classes?: number
  /** Whether to list the batch norms' running statistics too, as state_dict() does. Default false. */
  readonly buffers?: boolean
}

export interface ResnetOptions extends VisionModelOptions {
  /** The number of groups of the bottlenecks' 3 x 3 convolutions: 32 for ResNeXt-50 32x4d. Default 1. */
  readonly groups?: number
  /** The width of a group: 4 for ResNeXt-50 32x4d, 128 for a wide ResNet. Default 64. */
  readonly widthPerGroup?: number
}

/** The number of blocks in each stage, by depth. */
const resnets: Readonly<Record<number, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
}

/**
 * The parameters of torchvision's resnet18, 34, 50, 101 and 152, with its names and in its order. ResNet-50 has 25,557,032
 * elements. The result is a list of parameters without the graph, so residual connections are not part of it. Its
 * initialisation is `resnetRecipe`.
 *
 * @throws WeightInitError `INVALID_ARGUMENT` for another depth, an unknown option, or groups or widthPerGroup with a depth
 *   below 50, whose basic blocks have none
 */
export function resnet(depth: 18 | 34 | 50 | 101 | 152, options: ResnetOptions = {}): Model {
  refuseUnknownKeys(options, ['classes', 'buffers', 'groups', 'widthPerGroup'], 'resnet option')
  const stages = Object.hasOwn(resnets, depth) ? resnets[depth] : undefined
  if (stages === undefined) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `resnet: depth must be one of ${Object.keys(resnets).join(', ')}, but found ${show(depth)}.`,
    )
  }
  const { classes = 1000, buffers = false, groups = 1, widthPerGroup = 64 } = options
  const basic = depth < 50
  if (basic && (groups !== 1 || widthPerGroup !== 64)) {
    throw new WeightInitError(
      'INVALID_ARGUMENT',
      `resnet: groups and widthPerGroup are for bottlenecks (depth 50 and more), but found depth ${depth}.`,
    )
  }
  const conv = (inputs: number, outputs: number, kernel: number, g = 1): Model =>
    conv2d(inputs, outputs, kernel, { bias: false, groups: g })
  const norm = (features: number): Model => batchNorm(features, { buffers })
  const expansion = basic ? 1 : 4
  const block = (inputs: number, planes: number, first: boolean): Model => {
    const outputs = planes * expansion
    // The first block of a stage changes the shape, except in the first stage of basic blocks.
    const downsample =
      first && inputs !== outputs ? { downsample: sequential(conv(inputs, outputs, 1), norm(outputs)) } : {}
    if (basic) {
      const layers = {
        conv1: conv(inputs, planes, 3),
        bn1: norm(planes),
        conv2: conv(planes, planes, 3),
        bn2: norm(planes),
      }
      return sequential({ ...layers, ...downsample })
    }
    const width = Math.floor((planes * widthPerGroup) / 64) * groups
    return sequential({
      conv1: conv(inputs, width, 1),
      bn1: norm(width),
      conv2: conv(width, width, 3, groups),
      bn2: norm(width),
      conv3: conv(width, outputs, 1),
      bn3: norm(outputs),
      ...downsample,
    })
  }
  let channels = 64
  const layers = stages.map((count, stage) => {
    const planes = 64 * 2 ** stage
    const blocks = Array.from({ length: count }, (_, i) =>
      block(i === 0 ? channels : planes * expansion, planes, i === 0),
    )
    channels = planes * expansion
    return [`layer${stage + 1}`, sequential(...blocks)] as const
  })
  const stem = { conv1: conv(3, 64, 7), bn1: norm(64) }
  return parametersOf(sequential({ ...stem, ...Object.fromEntries(layers), fc: linear(channels, classes) }))
}

/** Input channels, kernel, expanded channels, output channels, squeeze-and-excitation: Howard et al. 2019, Table 2. */
const mobilenetV3SmallBlocks: readonly (readonly [number, number, number, number, boolean])[] = [
  [16, 3, 16, 16, true],
  [16, 3, 72, 24, false],
  [24, 3, 88, 24, false],
  [24, 5, 96, 40, true],
  [40, 5, 240, 40, true],
  [40, 5, 240, 40, true],
  [40, 5, 120, 48, true],
  [48, 5, 144, 48, true],
  [48, 5, 288, 96, true],
  [96, 5, 576, 96, true],
  [96, 5, 576, 96, true],
]

/**
 * The parameters of torchvision's mobilenet_v3_small, with its names and in its order: 2,542,856 elements. The result is a
 * list of parameters without the graph. Its initialisation is `mobilenetV3Recipe`.
 *
 * @throws WeightInitError `INVALID_ARGUMENT` for an unknown option
 */
export function mobilenetV3Small(options: VisionModelOptions = {}): Model {
  refuseUnknownKeys(options, ['classes', 'buffers'], 'mobilenetV3Small option')
  const { classes = 1000, buffers = false } = options
  const convNorm = (inputs: number, outputs: number, kernel: number, groups = 1): Model =>
    sequential(conv2d(inputs, outputs, kernel, { bias: false, groups }), batchNorm(outputs, { buffers }))
  const blocks = mobilenetV3SmallBlocks.map(([inputs, kernel, expanded, outputs, squeezed]) => {
    const squeeze = multipleOf8(expanded / 4)
    const steps = [
      ...(expanded === inputs ? [] : [convNorm(inputs, expanded, 1)]),
      convNorm(expanded, expanded, kernel, expanded),
      ...(squeezed ? [sequential({ fc1: conv2d(expanded, squeeze, 1), fc2: conv2d(squeeze, expanded, 1) })] : []),
      convNorm(expanded, outputs, 1),
    ]
    return sequential({ block: sequential(...steps) })
  })
  return parametersOf(
    sequential({
      features: sequential(convNorm(3, 16, 3), ...blocks, convNorm(96, 576, 1)),
      classifier: sequential({ 0: linear(576, 1024), 3: linear(1024, classes) }),
    }),
  )
}

/** torchvision's _make_divisible: the nearest multiple of 8, or the next one if that is more than a tenth smaller. */
function multipleOf8(value: number): number {
  const nearest = Math.max(8, Math.floor((value + 4) / 8) * 8)
  return nearest < 0.9 * value ? nearest + 8 : nearest
}

/** Drops the containers, because code that traverses them would treat residual blocks as a chain of layers. */
const parametersOf = ({ parameters }: Model): Model => ({ parameters })
