// y[b, o, p] = scale sum w[o, i, k] x[b, i, p stride + k dilation - padding], over three axes, in groups. The adjoint is
// dx[b, i, q] = scale sum of w[o, i, k] dy[b, o, p] over all (o, k, p) that read q. All sums are direct, in a fixed order.

struct Convolution {
  input: vec3<u32>,
  batch: u32,
  output: vec3<u32>,
  groups: u32,
  kernel: vec3<u32>,
  inChannels: u32,
  stride: vec3<u32>,
  outChannels: u32,
  padding: vec3<u32>,
  scale: f32,
  dilation: vec3<u32>,
  flags: u32,
}

const CIRCULAR = 1u;
const BACKWARD = 2u;

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<uniform> job: Convolution;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;

fn places(lengths: vec3<u32>) -> u32 {
  return lengths.x * lengths.y * lengths.z;
}

fn placeOf(index: u32, lengths: vec3<u32>) -> vec3<u32> {
  return vec3<u32>(index / (lengths.y * lengths.z), index / lengths.z % lengths.y, index % lengths.z);
}

fn indexOf(place: vec3<u32>, lengths: vec3<u32>) -> u32 {
  return (place.x * lengths.y + place.y) * lengths.z + place.z;
}

fn forward(index: u32) -> f32 {
  let outPlaces = places(job.output);
  let place = placeOf(index % outPlaces, job.output);
  let channel = index / outPlaces % job.outChannels;
  let example = index / outPlaces / job.outChannels;
  let perGroup = job.inChannels / job.groups;
  let firstChannel = channel / (job.outChannels / job.groups) * perGroup;
  let taps = places(job.kernel);
  let inPlaces = places(job.input);
  var sum = 0.0;
  for (var t = 0u; t < taps; t++) {
    // Padded coordinates are never negative.
    var at = place * job.stride + placeOf(t, job.kernel) * job.dilation;
    if ((job.flags & CIRCULAR) != 0u) {
      at = (at + job.input - job.padding) % job.input;
    } else {
      if (any(at < job.padding) || any(at >= job.padding + job.input)) {
        continue;
      }
      at -= job.padding;
    }
    let base = (example * job.inChannels + firstChannel) * inPlaces + indexOf(at, job.input);
    let tap = channel * perGroup * taps + t;
    for (var i = 0u; i < perGroup; i++) {
      sum += a[base + i * inPlaces] * w[tap + i * taps];
    }
  }
  return sum;
}

fn backwardAt(padded: vec3<u32>, example: u32, channel: u32) -> f32 {
  let outPlaces = places(job.output);
  let taps = places(job.kernel);
  let perGroup = job.inChannels / job.groups;
  let outPerGroup = job.outChannels / job.groups;
  let firstChannel = channel / perGroup * outPerGroup;
  var sum = 0.0;
  for (var t = 0u; t < taps; t++) {
    let offset = placeOf(t, job.kernel) * job.dilation;
    if (any(padded < offset)) {
      continue;
    }
    let distance = padded - offset;
    let place = distance / job.stride;
    if (any(place * job.stride != distance) || any(place >= job.output)) {
      continue;
    }
    let base = (example * job.outChannels + firstChannel) * outPlaces + indexOf(place, job.output);
    let tap = (firstChannel * perGroup + channel % perGroup) * taps + t;
    for (var o = 0u; o < outPerGroup; o++) {
      sum += a[base + o * outPlaces] * w[tap + o * perGroup * taps];
    }
  }
  return sum;
}

fn backward(index: u32) -> f32 {
  let inPlaces = places(job.input);
  let padded = placeOf(index % inPlaces, job.input) + job.padding;
  let channel = index / inPlaces % job.inChannels;
  let example = index / inPlaces / job.inChannels;
  if ((job.flags & CIRCULAR) == 0u) {
    return backwardAt(padded, example, channel);
  }
  // With circular padding a position may also be read through the padding on either side of each axis: 27 images in all.
  var sum = 0.0;
  for (var image = 0u; image < 27u; image++) {
    let wrapped = padded + placeOf(image, vec3<u32>(3u)) * job.input;
    if (any(wrapped < job.input) || any(wrapped >= 2u * (job.input + job.padding))) {
      continue;
    }
    sum += backwardAt(wrapped - job.input, example, channel);
  }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let isBackward = (job.flags & BACKWARD) != 0u;
  let channels = select(job.outChannels, job.inChannels, isBackward);
  let count = job.batch * channels * select(places(job.output), places(job.input), isBackward);
  for (var i = id.x; i < count; i += groups.x * 64u) {
    var value = 0.0;
    if (isBackward) {
      value = backward(i);
    } else {
      value = forward(i);
    }
    c[i] = value * job.scale;
  }
}
