// Activation functions and their derivatives, with float32 accuracy. CPU reference: src/signal/activations.ts. The results
// are measurements and need not have the same bits on every device, so builtin functions may be used.

struct Activation {
  elementCount: u32,
  kind: u32,           // one of the numbers below
  negativeSlope: f32,  // leakyRelu
  foldScale: f32,
  unitScale: f32,
  flags: u32,
  slopeLeft: f32,
  slopeRight: f32,
  gradientScale: f32,
  unitCount: u32,
  unitStride: u32,
  firstRecord: u32,
}

// The activations' numbers: `code` in src/signal/activations.ts; a test compares the two.
const RELU = 0u;
const LEAKY_RELU = 1u;
const GELU = 2u;
const SILU = 3u;
const MISH = 4u;
const ELU = 5u;
const SELU = 6u;
const SOFTPLUS = 7u;
const TANH = 8u;
const SIGMOID = 9u;
const HARDSWISH = 10u;
const RELU_SQUARED = 11u;

const SLOPES = 1u;    // two slopes in place of the function
const BACKWARD = 2u;
const OF_SLOPE = 4u;

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;
// exp of a larger number overflows float32. Here the results for all larger numbers are the same.
const LARGEST_EXPONENT = 80.0;

fn expMinusOne(x: f32) -> f32 {
  if (abs(x) < 0.25) {
    return x * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x / 720.0)))));
  }
  return exp(clamp(x, -LARGEST_EXPONENT, LARGEST_EXPONENT)) - 1.0;
}

fn expClamped(x: f32) -> f32 {
  return exp(clamp(x, -LARGEST_EXPONENT, LARGEST_EXPONENT));
}

fn sigmoidOf(x: f32) -> f32 {
  return 1.0 / (1.0 + expClamped(-x));
}

fn tanhOf(x: f32) -> f32 {
  let t = expMinusOne(-2.0 * abs(x));
  return sign(x) * -t / (t + 2.0);
}

fn tanhSlope(x: f32) -> f32 {
  let e = expClamped(-2.0 * abs(x));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}

// Phi(x), Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
fn normalCdf(x: f32) -> f32 {
  let z = abs(x) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let tail = 0.5 * p * expClamped(-z * z);
  return select(tail, 1.0 - tail, x > 0.0);
}

// tanh(ln(1 + e^x))
fn mishGate(x: f32) -> f32 {
  let n = exp(clamp(x, -LARGEST_EXPONENT, 15.0));
  return (n * n + 2.0 * n) / (n * n + 2.0 * n + 2.0);
}

fn activationValue(x: f32, kind: u32, negativeSlope: f32) -> f32 {
  switch kind {
    case RELU: { return max(x, 0.0); }
    case LEAKY_RELU: { return select(negativeSlope * x, x, x > 0.0); }
    case GELU: { return x * normalCdf(x); }
    case SILU: { return x * sigmoidOf(x); }
    case MISH: { return x * mishGate(x); }
    case ELU: { return select(expMinusOne(min(x, 0.0)), x, x > 0.0); }
    case SELU: { return SELU_SCALE * select(SELU_ALPHA * expMinusOne(min(x, 0.0)), x, x > 0.0); }
    case SOFTPLUS: { return max(x, 0.0) + log(1.0 + expClamped(-abs(x))); }
    case TANH: { return tanhOf(x); }
    case SIGMOID: { return sigmoidOf(x); }
    case HARDSWISH: { return x * clamp(x + 3.0, 0.0, 6.0) / 6.0; }
    case RELU_SQUARED: { return max(x, 0.0) * max(x, 0.0); }
    default: { return 0.0; }
  }
}

fn activationSlope(x: f32, kind: u32, negativeSlope: f32) -> f32 {
  switch kind {
    case RELU: { return select(0.0, 1.0, x > 0.0); }
    case LEAKY_RELU: { return select(negativeSlope, 1.0, x > 0.0); }
    case GELU: { return normalCdf(x) + x * 0.3989422804014327 * expClamped(-0.5 * x * x); }
    case SILU: { return sigmoidOf(x) * (1.0 + x * sigmoidOf(-x)); }
    case MISH: {
      let gate = mishGate(x);
      let n = exp(clamp(x, -LARGEST_EXPONENT, 15.0));
      // 1 - gate^2 without cancellation.
      let d = n * n + 2.0 * n + 2.0;
      return gate + x * (2.0 / d) * (1.0 + gate) * sigmoidOf(x);
    }
    case ELU: { return select(expClamped(x), 1.0, x > 0.0); }
    case SELU: { return SELU_SCALE * select(SELU_ALPHA * expClamped(x), 1.0, x > 0.0); }
    case SOFTPLUS: { return sigmoidOf(x); }
    case TANH: { return tanhSlope(x); }
    case SIGMOID: { return sigmoidOf(x) * sigmoidOf(-x); }
    case HARDSWISH: { return select(select(1.0, x / 3.0 + 0.5, x < 3.0), 0.0, x <= -3.0); }
    case RELU_SQUARED: { return 2.0 * max(x, 0.0); }
    default: { return 0.0; }
  }
}

fn slopeOf(s: f32, job: Activation) -> f32 {
  if ((job.flags & SLOPES) != 0u) {
    return select(job.slopeLeft, job.slopeRight, s > 0.0);
  }
  return activationSlope(s * job.foldScale * job.unitScale, job.kind, job.negativeSlope);
}

fn valueOf(s: f32, job: Activation) -> f32 {
  if ((job.flags & SLOPES) != 0u) {
    return s * job.foldScale * select(job.slopeLeft, job.slopeRight, s > 0.0);
  }
  return activationValue(s * job.foldScale * job.unitScale, job.kind, job.negativeSlope);
}
