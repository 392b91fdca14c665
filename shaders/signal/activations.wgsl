// Activation functions and their derivatives; CPU reference of src/signal/activations.ts, to float32's accuracy. A measurement:
// builtins may be used.

struct Activation {
  elementCount: u32,
  kind: u32,           // place in `activationKinds`
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

const SLOPES = 1u;    // two slopes in place of the function
const BACKWARD = 2u;
const OF_SLOPE = 4u;

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;
// exp of more is no float32; nothing here tells it from this.
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
    case 0u: { return max(x, 0.0); }
    case 1u: { return select(negativeSlope * x, x, x > 0.0); }
    case 2u: { return x * normalCdf(x); }
    case 3u: { return x * sigmoidOf(x); }
    case 4u: { return x * mishGate(x); }
    case 5u: { return select(expMinusOne(min(x, 0.0)), x, x > 0.0); }
    case 6u: { return SELU_SCALE * select(SELU_ALPHA * expMinusOne(min(x, 0.0)), x, x > 0.0); }
    case 7u: { return max(x, 0.0) + log(1.0 + expClamped(-abs(x))); }
    case 8u: { return tanhOf(x); }
    default: { return sigmoidOf(x); }
  }
}

fn activationSlope(x: f32, kind: u32, negativeSlope: f32) -> f32 {
  switch kind {
    case 0u: { return select(0.0, 1.0, x > 0.0); }
    case 1u: { return select(negativeSlope, 1.0, x > 0.0); }
    case 2u: { return normalCdf(x) + x * 0.3989422804014327 * expClamped(-0.5 * x * x); }
    case 3u: { return sigmoidOf(x) * (1.0 + x * sigmoidOf(-x)); }
    case 4u: {
      let gate = mishGate(x);
      let n = exp(clamp(x, -LARGEST_EXPONENT, 15.0));
      // 1 - gate^2 without cancelling.
      let d = n * n + 2.0 * n + 2.0;
      return gate + x * (2.0 / d) * (1.0 + gate) * sigmoidOf(x);
    }
    case 5u: { return select(expClamped(x), 1.0, x > 0.0); }
    case 6u: { return SELU_SCALE * select(SELU_ALPHA * expClamped(x), 1.0, x > 0.0); }
    case 7u: { return sigmoidOf(x); }
    case 8u: { return tanhSlope(x); }
    default: { return sigmoidOf(x) * sigmoidOf(-x); }
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
