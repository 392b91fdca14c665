export type { CheckOptions, CheckReport, ParameterCheck, TestResult } from './check.js'
export { type CheckedTensor, checkTensors } from './check-tensors.js'
export { diagnosePlan, type PlanFinding, type PlanFindingCode, planEveryParameter } from './diagnosis.js'
export type { Distribution, ExpectedMoments } from './distributions.js'
export type { DType, FloatDType } from './dtype.js'
export { DeviceLostError, OutOfMemoryError, WeightInitError, type WeightInitErrorCode } from './errors.js'
export { type JaxInitializers, type JaxOptions, type JaxRandom, type JaxShape, jax } from './generators/jax-api.js'
export { pythonSnippet } from './generators/python.js'
export { threadsOfGpu, torchCudaThreads } from './generators/torch-cuda-gpus.js'
export { TorchGenerator, type TorchGeneratorState } from './generators/torch-generator.js'
export type {
  GeneratorName,
  GeneratorObject,
  GeneratorOption,
  GeneratorSettings,
  GeneratorSource,
  JaxKey,
  JaxSource,
  StatelessSource,
  TorchCpuSource,
  TorchCpuVariant,
  TorchCudaSource,
} from './generators/types.js'
export { initializeModel, initializeTensor, type TensorSpec } from './initialize.js'
export {
  type GpuInitializedParameter,
  InitializedModel,
  type InitializedParameter,
  type ParameterSegment,
  type RematerializeOptions,
} from './initialized-model.js'
export { activationGain, activationNames } from './initializers/activation-gain.js'
export { type ConstantConfig, ConstantInitializer, constant, ones, zeros } from './initializers/constant.js'
export {
  defineInitializer,
  defineSampler,
  type InitializerDefinition,
  type SamplerDefinition,
  type SamplerFactory,
  type SamplerParameters,
} from './initializers/define.js'
export type { FanConvention } from './initializers/fans.js'
export { calculateFans, type Fans } from './initializers/fans.js'
export { calculateGain, type Nonlinearity } from './initializers/gain.js'
export {
  type DiracConfig,
  DiracInitializer,
  dirac,
  type EyeConfig,
  EyeInitializer,
  eye,
  identity,
} from './initializers/identity.js'
export {
  type FanMode,
  type KaimingConfig,
  KaimingInitializer,
  kaimingNormal,
  kaimingUniform,
} from './initializers/kaiming.js'
export { type NormalConfig, NormalInitializer, normal } from './initializers/normal.js'
export {
  DeltaOrthogonalInitializer,
  deltaOrthogonal,
  type OrthogonalConfig,
  OrthogonalInitializer,
  orthogonal,
} from './initializers/orthogonal.js'
export { createInitializer, initializerNames } from './initializers/registry.js'
export { type SinusoidalConfig, SinusoidalInitializer, sinusoidal } from './initializers/sinusoidal.js'
export { type SirenConfig, SirenInitializer, siren } from './initializers/siren.js'
export { type SparseConfig, SparseInitializer } from './initializers/sparse.js'
export { TorchDefaultInitializer, torchDefault } from './initializers/torch-default.js'
export {
  type TruncatedNormalConfig,
  TruncatedNormalInitializer,
  type TruncatedNormalSigmaConfig,
  TruncatedNormalSigmaInitializer,
  truncatedNormal,
  truncNormal,
} from './initializers/truncated-normal.js'
export { Initializer, type InitializerContext } from './initializers/types.js'
export { type UniformConfig, UniformInitializer, uniform } from './initializers/uniform.js'
export {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  type VarianceScalingConfig,
  type VarianceScalingDistribution,
  VarianceScalingInitializer,
  type VarianceScalingMode,
} from './initializers/variance-scaling.js'
export { type XavierConfig, XavierInitializer, xavierNormal, xavierUniform } from './initializers/xavier.js'
export type { CheckpointModel, OmittedTensor } from './interop/checkpoint.js'
export { parseSafetensorsHeader, safetensorsHeaderLength } from './interop/safetensors-header.js'
export {
  readSafetensorsIndex,
  readSafetensorsModel,
  readShardedSafetensorsModel,
  type SafetensorsIndex,
} from './interop/safetensors-model.js'
export type { SamplerParameterType } from './laws/custom.js'
export type { InitializationManifest, ManifestParameter } from './manifest.js'
export type { ParameterMatch } from './match.js'
export { defineModel } from './model/define.js'
export {
  type HuggingFaceOptions,
  huggingFaceArchitectures,
  readHuggingFaceConfig,
} from './model/huggingface/read.js'
export type { HuggingFaceModel } from './model/huggingface/types.js'
export { type ModelJson, modelToJson, readModelJson } from './model/json.js'
export {
  type BatchNormOptions,
  batchNorm,
  type ConvGeometryOptions,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dropout,
  type EmbeddingOptions,
  elu,
  embedding,
  flatten,
  gelu,
  gru,
  identityLayer,
  type LayerOptions,
  type LinearLayerOptions,
  type LinearOptions,
  layerNorm,
  leakyRelu,
  linear,
  lstm,
  mish,
  type NormOptions,
  type RecurrentOptions,
  relu,
  rnn,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './model/layers.js'
export { residual } from './model/residual.js'
export { sequential } from './model/sequential.js'
export { mobilenetV3Small, type ResnetOptions, resnet, type VisionModelOptions } from './model/torchvision.js'
export type { FanOverride, LayerInfo, Layout, Model, Parameter, ParameterRole, ParameterSpec } from './model/types.js'
export type { InitializationProgress, InitializeOptions, TargetRegion, TargetSegment } from './options.js'
export type { ParameterPart, ShardOption, ShardRule, ShardSpec, SliceOption, SliceSpec } from './parts/types.js'
export {
  type InitializationPlan,
  type InitializerArgument,
  type InitializerRule,
  type PlannedParameter,
  planModel,
} from './plan.js'
export { fnv1a64, parameterStream, type Stream, seedKey } from './random/keys.js'
export { minusTwoLog } from './random/logarithm.js'
export { boxMuller } from './random/normal.js'
export { philox4x32 } from './random/philox.js'
export { squareRoot } from './random/square-root.js'
export { type ClipRecipeSettings, type ClipTowerSettings, clipRecipe } from './recipes/clip.js'
export { type Gpt2RecipeSettings, gpt2Recipe, nanogptRecipe } from './recipes/gpt2.js'
export * as recipes from './recipes/index.js'
export { flaxDefaultRecipe, kerasDefaultRecipe, torchDefaultRecipe } from './recipes/libraries.js'
export {
  loraRecipe,
  type MuPRecipeSettings,
  muPRecipe,
  type SirenRecipeSettings,
  sirenRecipe,
} from './recipes/papers.js'
export { type T5RecipeSettings, t5Recipe } from './recipes/t5.js'
export {
  bertRecipe,
  distilbertRecipe,
  gemmaRecipe,
  llamaRecipe,
  robertaRecipe,
  type StdSettings,
} from './recipes/transformers.js'
export type { RecipeRule } from './recipes/types.js'
export { mobilenetV3Recipe, type ResnetRecipeSettings, resnetRecipe } from './recipes/vision.js'
export { deitRecipe, vitRecipe } from './recipes/vit.js'
export { whisperRecipe } from './recipes/whisper.js'
export { rematerialize } from './rematerialize.js'
export { propagateSignal } from './signal/propagate.js'
export type {
  SignalGain,
  SignalLayer,
  SignalMoments,
  SignalOptions,
  SignalReport,
  SignalTrend,
  SignalVerdict,
} from './signal/types.js'
export type { Histogram, ParameterStatistics } from './statistics/report.js'
export type { TestName } from './statistics/tests.js'
export type { ParameterVerification, VerificationReport, VerifyOptions } from './verify.js'
