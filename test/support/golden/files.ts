// Every file of test/vectors and what checks it. test/unit/generators/golden.slow.test.ts and test/gpu/golden.test.ts run the
// checks of `goldenChecks` on the CPU and on the device; a value of these files that no check names fails there.
import type { GoldenCheck } from './golden.js'
import { jax2026Checks, jaxChecks, jaxPublishedChecks } from './jax.js'
import type { GoldenRows } from './rows.js'
import { torchCpuChecks } from './torch-cpu.js'
import { torchCudaChecks, torchCudaPublishedChecks, torchStatelessChecks } from './torch-cuda.js'
import { torch2026Checks, torchCpuPublishedChecks } from './torch-published.js'
import { knownAnswerChecks, streamChecks } from './words.js'

export const goldenChecks: Readonly<Record<string, (rows: GoldenRows) => GoldenCheck[]>> = {
  'random123.json': knownAnswerChecks,
  'kat_random123.json': knownAnswerChecks,
  'streams.json': streamChecks,
  'philox_streams.json': streamChecks,
  'torch_cpu_draws.json': ({ target: { device } }) => torchCpuChecks({ device }),
  // The scalar build: uniforms exact.
  'torch_cpu_default.json': ({ target: { device } }) =>
    torchCpuChecks({ device, variant: 'no-contraction', tolerance: 2e-6 }),
  'torch_cpu_published.json': torchCpuPublishedChecks,
  'torch_cuda_ref.json': torchCudaChecks,
  'torch_cuda_published.json': torchCudaPublishedChecks,
  'torch_stateless_ref.json': torchStatelessChecks,
  'jax_ref.json': jaxChecks,
  'jax_published.json': jaxPublishedChecks,
  'python_2026.json': (rows) => [...torch2026Checks(rows), ...jax2026Checks(rows)],
}

/** Files that have tests of their own, which use every value. */
export const goldenElsewhere: Readonly<Record<string, string>> = {
  'contract_v1.json': 'test/unit/contract.test.ts, test/gpu/model.test.ts',
  'torch_cpu_resnet18.json': 'test/unit/generators/torch/models.slow.test.ts, test/gpu/torch-models.test.ts',
  'torch_cpu_mobilenet_v3_small.json': 'test/unit/generators/torch/models.slow.test.ts, test/gpu/torch-models.test.ts',
  // Float64 arithmetic of the plan, which no device computes.
  'torch_formulas.json': 'test/unit/initializers/torch-formulas.test.ts, test/unit/initializers/torch-errors.test.ts',
  'torch_trunc_normal.json': 'test/unit/initializers/families.test.ts',
  'onnx_modules.json': 'test/unit/readers/onnx-modules.test.ts',
  'torch_modules.json': 'test/unit/readers/torch-modules.test.ts',
  // A table that the host makes; test/gpu/families.test.ts compares what a device holds with it.
  'torch_float8.json': 'test/unit/core/half.test.ts',
  'torch_activations.json': 'test/unit/signal/activations.test.ts',
  'torch_sinusoids.json': 'test/unit/distributions/sinusoid.test.ts',
  // Made by this package, for its version in Python.
  'python_init.json': 'python/test_webgpu_init.py',
}
