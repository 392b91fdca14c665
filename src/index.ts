export type { Distribution, ExpectedMoments } from './distributions.js'
export type { DType, FloatDType } from './dtype.js'
export { DeviceLostError, OutOfMemoryError, WeightInitError, type WeightInitErrorCode } from './errors.js'
export { initializeModel, initializeTensor, type TensorSpec } from './initialize.js'
export {
  type GpuInitializedParameter,
  InitializedModel,
  type InitializedParameter,
  type ParameterSegment,
  type RematerializeOptions,
} from './initialized-model.js'
export { type ConstantConfig, ConstantInitializer, constant, ones, zeros } from './initializers/constant.js'
export { calculateFans, type Fans } from './initializers/fans.js'
export { calculateGain, type Nonlinearity } from './initializers/gain.js'
export {
  type FanMode,
  type KaimingConfig,
  KaimingInitializer,
  kaimingNormal,
  kaimingUniform,
} from './initializers/kaiming.js'
export { type NormalConfig, NormalInitializer, normal } from './initializers/normal.js'
export { createInitializer, initializerNames } from './initializers/registry.js'
export { Initializer, type InitializerContext } from './initializers/types.js'
export { type UniformConfig, UniformInitializer, uniform } from './initializers/uniform.js'
export { type XavierConfig, XavierInitializer, xavierNormal, xavierUniform } from './initializers/xavier.js'
export type { InitializationManifest, ManifestParameter } from './manifest.js'
export type { ParameterMatch } from './match.js'
export { defineModel } from './model/define.js'
export { gpt2Recipe, readHuggingFaceConfig } from './model/huggingface.js'
export {
  type BatchNormOptions,
  batchNorm,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
  dropout,
  elu,
  embedding,
  flatten,
  gelu,
  identityLayer,
  type LayerOptions,
  type LinearOptions,
  layerNorm,
  leakyRelu,
  linear,
  mish,
  type NormOptions,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './model/layers.js'
export { sequential } from './model/sequential.js'
export type { FanOverride, LayerInfo, Layout, Model, Parameter, ParameterRole, ParameterSpec } from './model/types.js'
export type { GeneratorName, InitializationProgress, InitializeOptions, TargetRegion } from './options.js'
export type { ParameterPart, ShardOption, ShardRule, ShardSpec, SliceOption, SliceSpec } from './parts/types.js'
export {
  type InitializationPlan,
  type InitializerArgument,
  type InitializerRule,
  type PlannedParameter,
  planModel,
} from './plan.js'
export { fnv1a64, parameterStream, type Stream, seedKey } from './random/keys.js'
export { boxMuller } from './random/normal.js'
export { philox4x32 } from './random/philox.js'
export { rematerialize } from './rematerialize.js'
export type { ParameterStatistics } from './statistics/report.js'
export type { ParameterVerification, VerificationReport, VerifyOptions } from './verify.js'
