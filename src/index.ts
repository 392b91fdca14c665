export type { DType, FloatDType } from './core/dtype.js'
export { DeviceLostError, OutOfMemoryError, WeightInitError, type WeightInitErrorCode } from './core/errors.js'
export { type JaxInitializers, type JaxOptions, type JaxRandom, type JaxShape, jax } from './generators/jax/jax-api.js'
export { threadsOfGpu, torchCudaThreads } from './generators/torch/cuda-gpus.js'
export { TorchGenerator, type TorchGeneratorState } from './generators/torch/torch-generator.js'
export { activationGain, activationNames } from './initializers/activation-gain.js'
export {
  defineInitializer,
  defineSampler,
  type InitializerDefinition,
  type SamplerDefinition,
  type SamplerFactory,
  type SamplerParameters,
} from './initializers/define.js'
export { type ConstantConfig, ConstantInitializer, constant, ones, zeros } from './initializers/families/constant.js'
export {
  type DiracConfig,
  DiracInitializer,
  dirac,
  type EyeConfig,
  EyeInitializer,
  eye,
  identity,
} from './initializers/families/identity.js'
export {
  type FanMode,
  type KaimingConfig,
  KaimingInitializer,
  kaimingNormal,
  kaimingUniform,
} from './initializers/families/kaiming.js'
export { type NormalConfig, NormalInitializer, normal } from './initializers/families/normal.js'
export {
  DeltaOrthogonalInitializer,
  deltaOrthogonal,
  type OrthogonalConfig,
  OrthogonalInitializer,
  orthogonal,
} from './initializers/families/orthogonal.js'
export { type SinusoidalConfig, SinusoidalInitializer, sinusoidal } from './initializers/families/sinusoidal.js'
export { type SirenConfig, SirenInitializer, siren } from './initializers/families/siren.js'
export { type SparseConfig, SparseInitializer } from './initializers/families/sparse.js'
export { TorchDefaultInitializer, torchDefault } from './initializers/families/torch-default.js'
export {
  type TruncatedNormalConfig,
  TruncatedNormalInitializer,
  type TruncatedNormalSigmaConfig,
  TruncatedNormalSigmaInitializer,
  truncatedNormal,
  truncNormal,
} from './initializers/families/truncated-normal.js'
export { type UniformConfig, UniformInitializer, uniform } from './initializers/families/uniform.js'
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
} from './initializers/families/variance-scaling.js'
export { type XavierConfig, XavierInitializer, xavierNormal, xavierUniform } from './initializers/families/xavier.js'
export { calculateFans } from './initializers/fans.js'
export { calculateGain, type Nonlinearity } from './initializers/gain.js'
export { Initializer, type InitializerContext } from './initializers/initializer.js'
export type { ConfigOf, InitializerConfigs, InitializerName } from './initializers/names.js'
export { createInitializer, initializerNames } from './initializers/registry.js'
export type { InitializerArgument, InitializerRule, InstanceRule, NamedRule, RuleFor } from './initializers/rules.js'
export type { NoSettings } from './initializers/schema.js'
export type { Backend, BackendOf, DeviceOption } from './ir/device.js'
export type { Distribution, ExpectedMoments, SamplerParameterType } from './ir/distribution.js'
export type { FanConvention, Fans } from './ir/fans.js'
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
  TorchProgramSource,
} from './ir/generator.js'
export type { FanOverride, LayerInfo, Layout, Model, Parameter, ParameterRole, ParameterSpec } from './ir/parameter.js'
export type { ParameterPart } from './ir/part.js'
export type { InitializationPlan, PlannedParameter } from './ir/plan.js'
export type { RecordedRow, RecordedTensor, TorchProgram } from './ir/program.js'
export { defineModel } from './model/define.js'
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
  hardswish,
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
  reluSquared,
  rnn,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './model/layers.js'
export type { ParameterMatch } from './model/match.js'
export { residual } from './model/residual.js'
export { sequential } from './model/sequential.js'
export { mobilenetV3Small, type ResnetOptions, resnet, type VisionModelOptions } from './model/torchvision.js'
export type { ConfigOrOptions, InstanceArguments } from './plan/arguments.js'
export { diagnosePlan, type PlanFinding, type PlanFindingCode, planEveryParameter } from './plan/lint.js'
export type { InitializationManifest, ManifestParameter } from './plan/manifest/types.js'
export type { InitializationProgress, InitializeOptions, TargetRegion, TargetSegment } from './plan/options.js'
export type { ShardOption, ShardRule, ShardSpec, SliceOption, SliceSpec } from './plan/parts/part-options.js'
export { planModel } from './plan/plan.js'
export { pythonSnippet } from './python/python.js'
export { fnv1a64, parameterStream, type Stream, seedKey } from './random/keys.js'
export { minusTwoLog } from './random/logarithm.js'
export { boxMuller } from './random/normal.js'
export { philox4x32 } from './random/philox.js'
export { squareRoot } from './random/square-root.js'
export type { CheckpointModel, GuessedTensor, OmittedTensor } from './readers/checkpoint.js'
export {
  type HuggingFaceOptions,
  huggingFaceArchitectures,
  readHuggingFaceConfig,
} from './readers/huggingface/read.js'
export type { HuggingFaceModel } from './readers/huggingface/types.js'
export { type ModelJson, modelToJson, readModelJson } from './readers/model-json.js'
export { type RecordedModel, type RecordedNote, readRecording } from './readers/recording.js'
export { parseSafetensorsHeader, safetensorsHeaderLength } from './readers/safetensors-header.js'
export {
  readSafetensorsIndex,
  readSafetensorsModel,
  readShardedSafetensorsModel,
  type SafetensorsIndex,
} from './readers/safetensors-model.js'
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
export type { ParameterSegment } from './store/weight-store.js'
export type { CheckOptions, CheckReport, ParameterCheck, TestResult } from './weights/check.js'
export { type CheckedTensor, checkTensors } from './weights/check-tensors.js'
export { initializeModel, initializeTensor, type TensorSpec } from './weights/initialize.js'
export {
  type CpuInitializedParameter,
  type GpuInitializedParameter,
  InitializedModel,
  type InitializedModelOf,
  type InitializedParameter,
  type ParameterOn,
  type RematerializeOptions,
} from './weights/initialized-model.js'
export { propagateSignal } from './weights/propagate-signal.js'
export { rematerialize } from './weights/rematerialize.js'
export type { BoundedComparison, ParameterVerification, VerificationReport } from './weights/verification.js'
export type { VerifyOptions } from './weights/verify.js'
