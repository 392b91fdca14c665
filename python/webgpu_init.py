"""The weights of webgpu-init in Python: the same bits in NumPy, PyTorch and JAX.

A value depends on (seed, parameter name, element index, distribution) and on nothing else, so any process can make any
part of any parameter by itself. What fixes the values is the project's docs/value-contract.md, version 1; this file is
that text in array operations, and needs NumPy alone.

>>> values = tensor(42, '0.weight', (256, 784), {'kind': 'normal', 'mean': 0, 'std': 1})
>>> values.shape, values.dtype.name
((256, 784), 'float32')
>>> part = tensor(42, '0.weight', (256, 784), {'kind': 'normal', 'mean': 0, 'std': 1}, start=1000, stop=1010)
>>> bool((part == values.reshape(-1)[1000:1010]).all())
True

Which distribution a parameter has (its fans, bounds, standard deviation) is decided in one place, by webgpu-init: take it
from a manifest, which `weights.manifest()` gives and which every .safetensors file of `webgpu-init init` carries.

- `tensor`: one parameter, or elements [start, stop) of it
- `state_dict`: every parameter of a manifest, by name
- `materialize_`: fills a torch module in place, each rank its own shard
- `jax_tree`: the parameters as a nested dict of JAX arrays
- `load_manifest`: reads a manifest from a JSON file or a .safetensors file

Every distribution is bit-exact on every library and device, but one: orthogonal matrices agree within 2e-5 (see `tensor`).
Every mistake in an argument or a manifest is a ValueError that names the parameter.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import operator
import os
import re
import sys
from dataclasses import dataclass, replace

import numpy as np

__all__ = ['jax_tree', 'load_manifest', 'materialize_', 'state_dict', 'tensor']
__version__ = '0.1.0'

VALUE_CONTRACT = 1

_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF


# ---------------------------------------------------------------------------------------------------------------------
# Integers and streams
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stream:
    """Where a parameter's words come from: a Philox key and its first block counter, 64 bits each."""

    key: int
    counter: int


class _Integers:
    """Python's own integers as one 32-bit word: the scalar case of what the array libraries do."""

    word = staticmethod(int)

    def add_key(self, a, b):
        return (a + b) & _MASK_32

    def multiply(self, a, b):
        product = a * b
        return product >> 32, product & _MASK_32


def _philox(ops, c0, c1, c2, c3, k0, k1):
    """Philox4x32-10 (Salmon et al., SC 2011): four words from four counter words and two key words. Exact."""
    m0, m1 = ops.word(0xD2511F53), ops.word(0xCD9E8D57)
    w0, w1 = ops.word(0x9E3779B9), ops.word(0xBB67AE85)
    for _ in range(10):
        high0, low0 = ops.multiply(c0, m0)
        high1, low1 = ops.multiply(c2, m1)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = ops.add_key(k0, w0), ops.add_key(k1, w1)
    return c0, c1, c2, c3


def _fnv1a64(text):
    """FNV-1a, 64 bits, of the UTF-8 bytes. A lone surrogate counts as U+FFFD, as TextEncoder has it."""
    data = text.encode('utf-16-le', 'surrogatepass').decode('utf-16-le', 'replace').encode()
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & _MASK_64
    return value


def _parameter_stream(name, seed):
    """The stream of a parameter: one block, the name's hash as counter and the seed as key."""
    number, key = _fnv1a64(name), seed & _MASK_64
    w0, w1, w2, w3 = _philox(_Integers(), number & _MASK_32, number >> 32, 0, 0, key & _MASK_32, key >> 32)
    return _Stream(key=w0 | w1 << 32, counter=w2 | w3 << 32)


def _recorded_stream(value, where):
    """The stream that a plan has written down."""
    if not isinstance(value, dict) or not all(re.fullmatch(r'[0-9]{1,20}', str(value.get(n))) for n in ('key', 'counter')):
        raise ValueError(f'{where}: stream must hold key and counter as decimal strings, but found {_show(value)}.')
    return _Stream(key=int(value['key']), counter=int(value['counter']))


# ---------------------------------------------------------------------------------------------------------------------
# Array libraries. Each gives the same few operations on 32-bit words and float32 numbers; the distributions below are
# written once.
# ---------------------------------------------------------------------------------------------------------------------


def _bfloat16_bits(values):
    """Bits of the bfloat16 nearest to each float32, ties to even, as uint16."""
    bits = values.view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))) >> 16).astype(np.uint16)


_WIDTHS = {'int8': 8, 'int16': 16, 'int32': 32, 'int64': 64, 'uint8': 8, 'uint16': 16, 'uint32': 32, 'uint64': 64}
_FLOATS = {'float32': 3.4028234663852886e38, 'float16': 65504.0, 'bfloat16': 3.3895313892515355e38}
_DTYPES = (*_FLOATS, *_WIDTHS, 'bool')


class _Numpy:
    """Words are uint32 arrays, whose sums and shifts wrap."""

    name = 'numpy'
    # Elements at a time: the dozen arrays in flight stay in the cache.
    chunk = 1 << 16
    word = np.uint32
    where = staticmethod(np.where)
    minimum = staticmethod(np.minimum)
    maximum = staticmethod(np.maximum)

    def add(self, a, b):
        return a + b

    def add_key(self, a, b):
        return np.uint32((int(a) + int(b)) & _MASK_32)

    def shift_left(self, a, count):
        return a << np.uint32(count)

    def multiply(self, a, b):
        product = np.multiply(a, np.uint64(b), dtype=np.uint64)
        return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)

    def to_float(self, a):
        return a.astype(np.float32)

    def signed_to_float(self, a):
        return a.view(np.int32).astype(np.float32)

    def bits(self, x):
        return x.view(np.uint32)

    def from_bits(self, a):
        return a.view(np.float32)

    def rounded(self, x):
        return x

    def repeat_while(self, condition, step, x):
        while (again := condition(x)).any():
            x = np.where(again, step(x), x)
        return x

    def repeat(self, count, step, state):
        for index in range(count):
            state = step(index, state)
        return state

    def counters(self, starts, blocks, counter):
        block = (starts >> 2)[:, None] + np.arange(blocks, dtype=np.int64)
        block = block.astype(np.uint64) + np.uint64(counter)
        return block.astype(np.uint32), (block >> np.uint64(32)).astype(np.uint32)

    def words(self, host):
        return host.astype(np.uint32)

    def interleave(self, lanes):
        out = np.empty((*lanes[0].shape, 4), np.float32)
        for lane, values in enumerate(lanes):
            out[..., lane] = values
        return out.reshape(out.shape[0], -1)

    def take(self, values, columns):
        return np.take_along_axis(values, columns, axis=1)

    def dtype(self, name):
        return np.dtype('uint16' if name == 'bfloat16' else name)

    def empty(self, size, dtype):
        return np.empty(size, self.dtype(dtype))

    def full(self, out, value):
        out[...] = value

    def store(self, out, values, dtype):
        out[...] = _bfloat16_bits(values) if dtype == 'bfloat16' else values

    def put(self, out, positions, value):
        out[positions] = value

    def scalar(self, value, dtype):
        if dtype not in _FLOATS:
            return int(value)
        rounded = np.array([value], np.float32)
        return _bfloat16_bits(rounded)[0] if dtype == 'bfloat16' else rounded.astype(dtype)[0]

    def finish(self, out, dtype):
        if dtype != 'bfloat16':
            return out
        try:
            return out.view(importlib.import_module('ml_dtypes').bfloat16)
        except ImportError:
            return out


class _Torch:
    """Words are int64 tensors in [0, 2^32): PyTorch has few operations on uint32. No float64, which MPS lacks."""

    name = 'torch'
    word = staticmethod(int)

    def __init__(self, device):
        self.torch = torch = importlib.import_module('torch')
        self.device = torch.device(device)
        self.chunk = 1 << 18 if self.device.type == 'cpu' else 1 << 23
        self.where = torch.where

    def add(self, a, b):
        return (a + b) & _MASK_32

    add_key = add

    def shift_left(self, a, count):
        return (a << count) & _MASK_32

    def multiply(self, a, b):
        # Products of 32 by 16 bits: an int64 holds no product of two words.
        low, high = a * (b & 0xFFFF), a * (b >> 16)
        return (high + (low >> 16)) >> 16, (low + ((high & 0xFFFF) << 16)) & _MASK_32

    def to_float(self, a):
        # In halves, so that the one rounding is that of a sum, whatever the device's conversions do.
        return (a >> 16).to(self.torch.float32) * 65536.0 + (a & 0xFFFF).to(self.torch.float32)

    def _signed(self, a):
        return (a ^ 0x80000000) - 0x80000000

    def signed_to_float(self, a):
        return self.to_float(self._signed(a))

    def bits(self, x):
        return x.contiguous().view(self.torch.int32).to(self.torch.int64) & _MASK_32

    def from_bits(self, a):
        return self._signed(a).to(self.torch.int32).view(self.torch.float32)

    def rounded(self, x):
        return x

    def minimum(self, a, b):
        return self.torch.clamp(a, max=b)

    def maximum(self, a, b):
        return self.torch.clamp(a, min=b)

    def repeat_while(self, condition, step, x):
        while bool((again := condition(x)).any()):
            x = self.torch.where(again, step(x), x)
        return x

    def repeat(self, count, step, state):
        for index in range(count):
            state = step(index, state)
        return state

    def counters(self, starts, blocks, counter):
        torch = self.torch
        first = torch.from_numpy(starts >> 2).to(self.device)
        block = first[:, None] + torch.arange(blocks, dtype=torch.int64, device=self.device)
        low = (block & _MASK_32) + (counter & _MASK_32)
        return low & _MASK_32, ((block >> 32) + (counter >> 32) + (low >> 32)) & _MASK_32

    def words(self, host):
        return self.torch.from_numpy(np.ascontiguousarray(host, np.int64)).to(self.device)

    def interleave(self, lanes):
        return self.torch.stack(lanes, dim=-1).reshape(lanes[0].shape[0], -1)

    def take(self, values, columns):
        return values.gather(1, self.torch.from_numpy(columns).to(self.device))

    def dtype(self, name):
        found = getattr(self.torch, name, None)
        if found is None:
            raise ValueError(f'this PyTorch ({self.torch.__version__}) has no dtype {name}. Use a later one, or NumPy.')
        return found

    def empty(self, size, dtype):
        return self.torch.empty(size, dtype=self.dtype(dtype), device=self.device)

    def full(self, out, value):
        out.fill_(value)

    def store(self, out, values, dtype):
        if isinstance(values, np.ndarray):
            values = self.torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        out.copy_(values)

    def put(self, out, positions, value):
        out[self.torch.from_numpy(positions).to(out.device)] = value

    def scalar(self, value, dtype):
        if dtype not in _FLOATS:
            return bool(value) if dtype == 'bool' else int(value)
        return self.torch.tensor(float(np.float32(value)), dtype=self.torch.float32).to(self.dtype(dtype)).item()

    def finish(self, out, dtype):
        return out


class _Jax:
    """Words are uint32 arrays; products in halves of 16 bits, since JAX has no 64-bit integers unless asked.

    `zero` is a uint32 0 that the compiler does not know: `rounded` keeps products and sums from being fused. A constant 0,
    `lax.optimization_barrier` and `lax.reduce_precision` do not.
    """

    name = 'jax'

    def __init__(self, zero=None, sharding=None):
        self.jax = importlib.import_module('jax')
        self.jnp = jnp = importlib.import_module('jax.numpy')
        self.zero, self.sharding = zero, sharding
        self.word, self.where, self.minimum, self.maximum = jnp.uint32, jnp.where, jnp.minimum, jnp.maximum

    def add(self, a, b):
        return a + b

    add_key = add

    def shift_left(self, a, count):
        return a << count

    def multiply(self, a, b):
        a0, a1, b0, b1 = a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16
        middle = a1 * b0 + (a0 * b0 >> 16)
        carry = a0 * b1 + (middle & 0xFFFF)
        return a1 * b1 + (middle >> 16) + (carry >> 16), a * b

    def to_float(self, a):
        return (a >> 16).astype('float32') * 65536.0 + (a & 0xFFFF).astype('float32')

    def signed_to_float(self, a):
        return self.to_float(self.jax.lax.bitcast_convert_type(a, 'int32'))

    def bits(self, x):
        return self.jax.lax.bitcast_convert_type(x, 'uint32')

    def from_bits(self, a):
        return self.jax.lax.bitcast_convert_type(a, 'float32')

    def rounded(self, x):
        return self.from_bits(self.bits(x) ^ self.zero)

    def repeat_while(self, condition, step, x):
        return self.jax.lax.while_loop(lambda x: condition(x).any(), lambda x: self.jnp.where(condition(x), step(x), x), x)

    def repeat(self, count, step, state):
        # A loop of its own: unrolled it takes seconds to compile.
        return self.jax.lax.fori_loop(self.jnp.uint32(0), self.jnp.uint32(count), step, state)

    def scalar(self, value, dtype):
        if dtype not in _FLOATS:
            return bool(value) if dtype == 'bool' else int(value)
        return np.float32(value)

    def dtype(self, name):
        found = self.jnp.dtype(getattr(self.jnp, 'bool_' if name == 'bool' else name))
        if found.itemsize == 8 and not self.jax.config.jax_enable_x64:
            raise ValueError(
                f'JAX has no {name} unless 64-bit types are enabled. Set jax_enable_x64, or leave the parameter out.'
            )
        return found


def _backend(like, zero=None):
    """The array library that `like` stands for: a module, a device, an array, a sharding, or a name."""
    if isinstance(like, str) and like in ('numpy', 'torch', 'jax'):
        like = importlib.import_module(like)
    if like is None or like is np or isinstance(like, np.ndarray):
        return _Numpy()
    # What is not imported is not what `like` comes from.
    torch, jax = sys.modules.get('torch'), sys.modules.get('jax')
    if torch is not None:
        if like is torch:
            return _Torch(torch.get_default_device())
        if isinstance(like, torch.device):
            return _Torch(like)
        if isinstance(like, torch.Tensor):
            return _Torch(like.device)
    if jax is not None:
        if like is jax or like is jax.numpy or isinstance(like, jax.Array):
            return _Jax(zero)
        if isinstance(like, jax.sharding.Sharding):
            return _Jax(zero, like)
        if isinstance(like, jax.Device):
            return _Jax(zero, jax.sharding.SingleDeviceSharding(like))
    raise ValueError(
        f'like is {_show(like)}, which names no array library. Use numpy, torch, a torch.device, a torch.Tensor, jax, a '
        'jax.Device, a jax.sharding.Sharding, or leave it out for NumPy.'
    )


# ---------------------------------------------------------------------------------------------------------------------
# float32 functions of the value contract: every operation rounded once. `rounded` stands after every product, and after
# sums that are not exact and go into a product or another sum: a compiler with fast math would merge them.
# ---------------------------------------------------------------------------------------------------------------------


def _polynomial(ops, t, coefficients):
    """Horner's rule, highest power first."""
    p = coefficients[0]
    for c in coefficients[1:]:
        p = ops.rounded(p * t) + c
    return p


_LOG = (2.361628770828247, -2.147665500640869, 1.5593234300613403, 0.08043228089809418, 0.543604850769043,
        0.663818895816803, 1.0000687837600708, 1.999999761581421)  # fmt: skip
_TWO_LN2 = 1.3862943649291992
_ROOT = (0.27397316694259644, 0.31394678354263306, 0.37500038743019104, 0.4999983012676239)
_SIN = (-76.77495574951172, 81.62562561035156, -41.34186553955078, 6.2831854820251465)
_COS = (-83.61791229248047, 64.92221069335938, -19.73916244506836, 1.0)


def _minus_two_log_parts(ops, g, k):
    """k 2 ln 2 - 2 ln(1 - g), 0 <= g <= 1/2."""
    return ops.rounded(_polynomial(ops, g, _LOG) * g) + ops.rounded(k * _TWO_LN2)


def _significand(ops, bits):
    """The number with these bits, scaled by a power of two into [1/2, 1)."""
    return ops.from_bits((bits & 0x7FFFFF) | 0x3F000000)


def _exponent(ops, bits):
    """k, as a float, of the number with these bits: significand 2^-k. The difference is one of integers, so that no product
    takes it in."""
    return ops.signed_to_float(ops.add((bits >> 23) ^ ops.word(_MASK_32), ops.word(127)))


def _square_root(ops, q):
    y = ops.from_bits(ops.word(0x5F37642F) - (ops.bits(q) >> 1))
    s = ops.rounded(q * y)
    e = 1.0 - ops.rounded(s * y)
    p = _polynomial(ops, e, _ROOT)
    return s + ops.rounded(ops.rounded(p * e) * s)


def _radius(ops, x):
    """sqrt(-2 ln((x + 1/2) 2^-32))."""
    upper = x >= ops.word(0x80000000)
    folded = ops.where(upper, x ^ ops.word(_MASK_32), x)
    v = ops.to_float(ops.shift_left(folded, 1) | 1) * 2.0**-33
    bits = ops.bits(v)
    k = ops.where(upper, ops.to_float(bits & 0), _exponent(ops, bits))
    g = ops.where(upper, v, 1.0 - _significand(ops, bits))
    return _square_root(ops, _minus_two_log_parts(ops, g, k))


def _direction(ops, y):
    """cos and sin of 2 pi (y + 1/2) 2^-32."""
    shifted = ops.add(y, ops.word(0x20000000))
    # Minus 2^30, mod 2^32.
    n = ops.add(ops.shift_left(shifted & 0x3FFFFFFF, 1) | 1, ops.word(0xC0000000))
    t = ops.signed_to_float(n) * 2.0**-33
    t2 = ops.rounded(t * t)
    s = ops.rounded(_polynomial(ops, t2, _SIN) * t)
    c = _polynomial(ops, t2, _COS)
    swap = (shifted & 0x40000000) != 0
    x0, x1 = ops.where(swap, s, c), ops.where(swap, c, s)
    negative0 = ops.add(shifted, ops.word(0x40000000)) >= ops.word(0x80000000)
    negative1 = shifted >= ops.word(0x80000000)
    return ops.where(negative0, -x0, x0), ops.where(negative1, -x1, x1)


# ---------------------------------------------------------------------------------------------------------------------
# Samplers: constants from the distribution on the host, then values from words
# ---------------------------------------------------------------------------------------------------------------------


def _f32(x):
    return float(np.float32(x))


def _next_below(x):
    return float(np.nextafter(np.float32(x), np.float32(-np.inf)))


def _uniform_constants(distribution):
    low, high = _f32(distribution['low']), _f32(distribution['high'])
    if low == -high:
        return {'scale': high, 'offset': 0.0, 'top': _next_below(high), 'step': 2.0**-23, 'origin': 2.0**23}
    return {'scale': _f32(high - low), 'offset': low, 'top': _next_below(high), 'step': 2.0**-24, 'origin': 0.0}


def _uniform_value(ops, c, word):
    """high ((k - 2^23) 2^-23), or low + (k 2^-24) (high - low) where the range is not symmetric; k = word & 0xffffff."""
    unit = (ops.to_float(word & 0xFFFFFF) - c['origin']) * c['step']
    return ops.minimum(ops.rounded(unit * c['scale']) + c['offset'], c['top'])


def _normal_constants(distribution):
    return {'std': _f32(distribution['std']), 'mean': _f32(distribution['mean'])}


def _normal_pair(ops, c, x, y):
    """Box and Muller, cosine first: z std, then + mean."""
    r = _radius(ops, x)
    cosine, sine = _direction(ops, y)
    return tuple(ops.rounded(ops.rounded(r * d) * c['std']) + c['mean'] for d in (cosine, sine))


# --- Truncated normal: everything that belongs to this distribution alone, up to the next heading ---------------------

_CENTRE = (1.609510719147167e-10, 3.842211437898868e-9, -7.815688007895005e-8, -1.9647332294425723e-7,
           0.00001932530722115189, -0.00022159438231028616, -0.001477071433328092, 0.174401193857193,
           2.1233136653900146)  # fmt: skip
_TAIL = (0.0000014507797914120601, 0.000003301006472611334, -0.0000468023972644005, 0.00021042428852524608,
         -0.0008112101349979639, 0.0020659524016082287, 1.0076346397399902, 4.767709255218506)  # fmt: skip
_FAR = (-0.0000010348051091568777, 0.000005870411769137718, -0.000008236468602262903, -0.00035899417707696557,
        1.009247064590454, 8.806740760803223)  # fmt: skip
_FARTHEST_BOUND = 8.5


def _exp_minus(x):
    """e^-x in float64 from + - * / alone, so that it is the same everywhere."""
    k = math.floor(x / 0.6931471805599453 + 0.5)
    r = k * 0.6931471803691238 - x + k * 1.9082149292705877e-10
    total = 1.0
    for n in range(18, 0, -1):
        total = 1 + (r / n) * total
    return math.ldexp(total, -k)


def _normal_tail(z):
    """1 - Phi(z) in float64: the operations of src/random/normal-cdf.ts, in their order."""
    if z < 0:
        return 1 - _normal_tail(-z)
    if z > 37:
        return 0.0
    x = z / 1.4142135623730951
    if x < 1.2:
        term = total = x
        for n in range(1, 60):
            term *= -(x * x) / n
            total += term / (2 * n + 1)
        return 0.5 - total / 1.772453850905516
    fraction = 0.0
    for n in range(400, 0, -1):
        fraction = n / 2 / (x + fraction)
    return _exp_minus(x * x) / (x + fraction) / 1.772453850905516 / 2


def _truncated_normal_constants(distribution, where='truncated normal'):
    mean, std, low, high = (distribution[key] for key in ('mean', 'std', 'low', 'high'))
    alpha, beta = (low - mean) / std, (high - mean) / std
    mirrored = alpha + beta > 0
    if mirrored:
        alpha, beta = -beta, -alpha
    if beta < -_FARTHEST_BOUND:
        raise ValueError(
            f'{where}: the interval [{low}, {high}] lies {-beta:.3g} std from the mean {mean} (std {std}); the nearer bound '
            f'may be at most {_FARTHEST_BOUND} std away. Move the mean or the bounds.'
        )
    below = _normal_tail(-alpha)
    shift, scaled = 0, _normal_tail(-beta) if beta <= 0 else 1.0
    while scaled < 0.5:
        scaled, shift = scaled * 2, shift + 1
    scale = 2.0**-shift
    start = math.floor(below / scale * 2.0**64)
    mass_value = _normal_tail(-beta) - below if beta <= 0 else 1 - _normal_tail(beta) - below
    mass = min(math.floor(mass_value / scale * 2.0**64), 2**64 - 1 - start)
    largest = _FLOATS['float32']
    lowest, highest = _f32(max(low, -largest)), _f32(min(high, largest))
    if lowest < low:
        lowest = -_next_below(-lowest)
    if highest > high:
        highest = _next_below(highest)
    if mass < 2**32 or lowest > highest:
        raise ValueError(
            f'{where}: the interval [{low}, {high}] is too narrow for std {std}: it holds no float32 or hardly any '
            'probability. Widen it, or use a uniform distribution.'
        )
    start += mass >> 33
    return {
        'start_low': start & _MASK_32,
        'start_high': start >> 32,
        'mass_low': mass & _MASK_32,
        'mass_high': mass >> 32,
        'upper_bit': 0x80000000 if beta > 0 else 0,
        'scale': scale,
        # Shifts by `shift` as the array libraries can do them: by less than 32, after a whole word or none.
        'shift': shift % 32,
        'less_than_a_word': _MASK_32 if shift < 32 else 0,
        'std': -_f32(std) if mirrored else _f32(std),
        'mean': _f32(mean),
        'low': lowest,
        'high': highest,
    }


def _distance_to_half(ops, c, high, low):
    """1 - 2 p for a probability p = (high, low) 2^-64 scale <= 1/2: twice its distance to 1/2, from the integer, so that it
    keeps 24 bits however close to 1/2 p is. One rounding, to nearest even; at least 2^-63.
    """
    # The integer p / 2^-64, without what the shift takes off its end.
    near = ops.word(c['less_than_a_word'])
    low, high = (low & near) | (high & (near ^ ops.word(_MASK_32))), high & near
    shift = ops.word(c['shift'])
    spill = ops.shift_left(ops.shift_left(high, 1), ops.word(31) - shift)
    low, high = (low >> shift) | spill, high >> shift
    # 2^63 minus it: 2^63 + 1 and the complement.
    zero, one, ones = ops.word(0), ops.word(1), ops.word(_MASK_32)
    low = ops.add(low ^ ones, one)
    high = ops.add(ops.add(high ^ ones, ops.word(0x80000000)), ops.where(low == zero, one, zero))
    # Shifted left until 28 bits of the upper word or more are used; then the lower word only matters as "there is more".
    moves = []
    for count in (32, 16, 8, 4):
        small = high < ops.word(1 << (32 - count))
        moves.append((small, 2.0**-count))
        moved_high = low if count == 32 else ops.shift_left(high, count) | (low >> ops.word(32 - count))
        moved_low = low ^ low if count == 32 else ops.shift_left(low, count)
        high, low = ops.where(small, moved_high, high), ops.where(small, moved_low, low)
    distance = ops.to_float(high | ops.where(low == zero, zero, one)) * 2.0**-31
    for small, factor in moves:
        distance = ops.where(small, distance * factor, distance)
    return ops.rounded(distance)


def _inverse_normal_tail(ops, q, distance):
    """z >= 0 with upper tail probability q. `distance` is 1 - 2 q, by itself: near the mean q has lost the digits that it
    needs.
    """
    near = 1.0 - ops.rounded(distance * distance)
    bits = ops.bits(ops.where(distance < 0.75, near, (q * 4.0) * ops.rounded(1.0 - q)))
    w = ops.rounded(_minus_two_log_parts(ops, 1.0 - _significand(ops, bits), _exponent(ops, bits)))
    s = _square_root(ops, w)
    centre = ops.rounded(distance * _polynomial(ops, w - 5.0, _CENTRE))
    tail = ops.where(w < 46, _polynomial(ops, s - 5.0, _TAIL), _polynomial(ops, s - 9.0, _FAR))
    return ops.where(w < 10, centre, tail)


def _truncated_normal_value(ops, c, word):
    """Inversion at start + floor(mass word / 2^32), 64-bit integers in units of 2^-64 scale."""
    product_high, product_low = ops.multiply(word, ops.word(c['mass_high']))
    carry_in, _ = ops.multiply(word, ops.word(c['mass_low']))
    low = ops.add(product_low, carry_in)
    high = ops.add(product_high, ops.where(low < carry_in, ops.word(1), ops.word(0)))
    low = ops.add(low, ops.word(c['start_low']))
    carry = ops.where(low < ops.word(c['start_low']), ops.word(1), ops.word(0))
    high = ops.add(ops.add(high, ops.word(c['start_high'])), carry)
    upper = (high & ops.word(c['upper_bit'])) != 0
    high = ops.where(upper, high ^ ops.word(_MASK_32), high)
    low = ops.where(upper, low ^ ops.word(_MASK_32), low)
    # Three roundings, in this order; the scale is a power of two.
    q = ops.rounded(ops.rounded(ops.to_float(high) * 2.0**-32) + ops.rounded(ops.to_float(low) * 2.0**-64)) * c['scale']
    z = _inverse_normal_tail(ops, q, _distance_to_half(ops, c, high, low))
    value = ops.rounded(ops.where(upper, z, -z) * c['std']) + c['mean']
    return ops.minimum(ops.maximum(value, c['low']), c['high'])


# --- Sparse: everything that belongs to this distribution alone, up to the next heading -------------------------------

_SPARSE_TAG = 0x73707273
_SPARSE_ROUNDS = 16


def _sparse_constants(distribution, stream):
    half_bits = 1
    while 4**half_bits < distribution['rows']:
        half_bits += 1
    return {
        'std': _f32(distribution['std']),
        'mean': 0.0,
        'rows': distribution['rows'],
        'columns': distribution['columns'],
        'zeros': distribution['zeros'],
        'half_bits': half_bits,
        'mask': 2**half_bits - 1,
        'key_low': stream.key & _MASK_32,
        'key_high': stream.key >> 32,
    }


def _sparse_zero(ops, c, row, column):
    """Whether the element is 0: where a Feistel permutation of the column's rows brings it among the first `zeros`."""
    half_bits, mask, rows = (ops.word(c[key]) for key in ('half_bits', 'mask', 'rows'))
    key = ops.word(c['key_low']), ops.word(c['key_high'])
    nothing = column ^ column

    def feistel_round(index, halves):
        left, right = halves
        first, *_ = _philox(ops, right, column, nothing | index, nothing | _SPARSE_TAG, *key)
        return right, left ^ (first & mask)

    def walk(x):
        left, right = ops.repeat(_SPARSE_ROUNDS, feistel_round, (x >> half_bits, x & mask))
        return (left << half_bits) | right

    return ops.repeat_while(lambda x: x >= rows, walk, walk(row)) < ops.word(c['zeros'])


# ---------------------------------------------------------------------------------------------------------------------
# Distributions without words: tables made on the host
# ---------------------------------------------------------------------------------------------------------------------


def _exponential(x):
    """e^x, float64 from + - * / alone, for x in [-700, 0]."""
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10
    total = 1.0
    for n in range(17, 0, -1):
        total = 1 + (total * r) / n
    return math.ldexp(total, k)


@functools.lru_cache(maxsize=16)
def _frequencies(half, steps, timescale):
    """Radians per position, exp(-j ln(timescale) / steps), with PyTorch's own roundings to float32."""
    step = _f32(-math.log(timescale) / steps)
    return np.array([_exponential(_f32(step * j)) for j in range(half)], np.float32).astype(np.float64)


def _sinusoid_values(distribution, index):
    """sin or cos of position x frequency; float64 inside, rounded to float32."""
    columns, interleaved = distribution['columns'], distribution['arrangement'] == 'interleaved'
    half = columns // 2
    frequency = _frequencies(half, half if interleaved else half - 1, distribution['maxTimescale'])
    row, column = index // columns, index % columns
    pair, cosine = (column >> 1, (column & 1) == 1) if interleaved else (column % half, column >= half)
    x = (row.astype(np.float64) * frequency[pair]).astype(np.float32).astype(np.float64)
    k = np.floor(x * 0.6366197723675814 + 0.5)
    r = x - k * 1.5707963267341256 - k * 6.077100506303966e-11 - k * 2.0222662487959506e-21
    r2 = r * r
    s, c = np.ones_like(r), np.ones_like(r)
    for n in range(20, 0, -2):
        s = 1 - (s * r2) / (n * (n + 1))
        c = 1 - (c * r2) / (n * (n - 1))
    s *= r
    quadrant = (k.astype(np.int64) + cosine) & 3
    value = np.where((quadrant & 1) == 0, s, c)
    return np.where((quadrant & 2) == 0, value, -value).astype(np.float32)


def _orthogonal_matrix(distribution, stream, number):
    """Matrix `number`: gain Q of the QR factorisation of N(0, 1) elements, R's diagonal positive."""
    rows, columns = distribution['rows'], distribution['columns']
    count = rows * columns
    plain = _Spec('', (count,), {'kind': 'normal', 'mean': 0.0, 'std': 1.0}, 'float32', None, stream)
    normals = _sample(_Numpy(), plain, _Region.range(number * count, (number + 1) * count))
    matrix = normals.reshape(rows, columns).astype(np.float64)
    q, r = np.linalg.qr(matrix.T if rows < columns else matrix)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (q.T if rows < columns else q).astype(np.float32) * np.float32(distribution['gain'])


def _orthogonal_values(distribution, stream, first, stop):
    """Elements [first, stop), float32."""
    rows, columns, field = distribution['rows'], distribution['columns'], distribution['field']
    if field == 1:
        each = rows * columns
        numbers = range(first // each, -(-stop // each))
        flat = np.concatenate([_orthogonal_matrix(distribution, stream, n).reshape(-1) for n in numbers])
        return flat[first - numbers[0] * each : stop - numbers[0] * each]
    # Delta-orthogonal: one matrix at the centre of every kernel.
    whole = np.zeros(rows * columns * field, np.float32)
    if distribution['stride'] == 1:
        begin = distribution['centre'] * rows * columns
        whole[begin : begin + rows * columns] = _orthogonal_matrix(distribution, stream, 0).reshape(-1)
    else:
        whole[distribution['centre'] :: distribution['stride']] = _orthogonal_matrix(distribution, stream, 0).reshape(-1)
    return whole[first:stop]


# ---------------------------------------------------------------------------------------------------------------------
# Regions: which elements of a tensor
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Region:
    """The elements whose index on every axis is in that axis's list. A list is a range, or an int64 array."""

    full_shape: tuple
    lists: tuple

    @staticmethod
    def range(start, stop):
        """Neighbours [start, stop) of the flattened tensor."""
        return _Region((stop,), (range(start, stop),))

    @staticmethod
    def whole(shape):
        return _Region(tuple(shape), tuple(range(n) for n in shape))

    @property
    def shape(self):
        return tuple(len(indices) for indices in self.lists)

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def strides(self):
        strides, stride = [], 1
        for length in reversed(self.full_shape):
            strides.append(stride)
            stride *= length
        return tuple(reversed(strides))

    def runs(self):
        """Runs of neighbours, (column, starts, length): in row r of [len(starts), ...] from `column` on lie the elements
        [starts[r], starts[r] + length)."""
        strides = self.strides
        axis = len(self.lists) - 1
        while axis > 0 and len(self.lists[axis]) == self.full_shape[axis]:
            axis -= 1
        if axis < 0:
            return [(0, np.zeros(1, np.int64), 1)]
        starts = np.zeros(1, np.int64)
        for indices, stride in zip(self.lists[:axis], strides[:axis]):
            starts = (starts[:, None] + np.asarray(indices, np.int64) * stride).reshape(-1)
        indices, stride = self.lists[axis], strides[axis]
        if isinstance(indices, range):
            pieces = [(0, indices.start, len(indices))]
        else:
            cuts = [0, *(np.flatnonzero(np.diff(indices) != 1) + 1).tolist(), len(indices)]
            pieces = [(a, int(indices[a]), b - a) for a, b in zip(cuts, cuts[1:])]
        return [(at * stride, starts + first * stride, length * stride) for at, first, length in pieces]

    def extent(self):
        """The smallest [first, stop) of flattened indices that has every element."""
        first = sum(int(indices[0]) * stride for indices, stride in zip(self.lists, self.strides))
        last = sum(int(indices[-1]) * stride for indices, stride in zip(self.lists, self.strides))
        return first, last + 1

    def locate(self, first, stride, count):
        """Where in the flattened region the elements first, first + stride, ... (`count` of them) lie, as far as they do."""
        begin, stop = self.extent()
        skipped = max(0, -(-(begin - first) // stride))
        count = min(count - skipped, -(-(stop - first - skipped * stride) // stride))
        if count <= 0:
            return np.zeros(0, np.int64)
        index = first + (skipped + np.arange(count, dtype=np.int64)) * stride
        local, inside = np.zeros(count, np.int64), np.ones(count, bool)
        for indices, step, length in zip(self.lists, self.strides, self.full_shape):
            along = index // step % length
            if isinstance(indices, range):
                at = along - indices.start
                inside &= (at >= 0) & (at < len(indices))
            else:
                at = np.minimum(np.searchsorted(indices, along), len(indices) - 1)
                inside &= indices[at] == along
            local = local * len(indices) + at
        return local[inside]


def _pieces(starts, length, limit):
    """Cuts runs into pieces of about `limit` elements: (rows, first column, stop column)."""
    if length >= limit:
        for row in range(len(starts)):
            for column in range(0, length, limit):
                yield slice(row, row + 1), column, min(column + limit, length)
    else:
        # A run that begins within a block costs that whole block.
        step = max(1, limit // (-(-(length + 3) // 4) * 4))
        for row in range(0, len(starts), step):
            yield slice(row, row + step), 0, length


# ---------------------------------------------------------------------------------------------------------------------
# Filling
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Spec:
    """A parameter, checked."""

    name: str
    shape: tuple
    distribution: dict
    dtype: str
    padding: tuple | None
    stream: _Stream


def _sampler_constants(spec):
    kind = spec.distribution['kind']
    if kind == 'uniform':
        return _uniform_constants(spec.distribution)
    if kind == 'normal':
        return _normal_constants(spec.distribution)
    if kind == 'truncated-normal':
        return _truncated_normal_constants(spec.distribution)
    return _sparse_constants(spec.distribution, spec.stream)


_WORD_DISTRIBUTIONS = {'uniform': _uniform_value, 'truncated-normal': _truncated_normal_value}
_RANDOM = ('uniform', 'normal', 'truncated-normal', 'sparse')


def _sample(ops, spec, region, out=None):
    """The region's elements of a random distribution, flattened, in NumPy or PyTorch."""
    kind, stream = spec.distribution['kind'], spec.stream
    constants = _sampler_constants(spec)
    key = ops.word(stream.key & _MASK_32), ops.word(stream.key >> 32)
    if out is None:
        out = ops.empty(region.size, spec.dtype)
    for at, starts, length in region.runs():
        rows = out.reshape(len(starts), -1)
        for chosen, column, stop in _pieces(starts, length, ops.chunk):
            begin, count = starts[chosen] + column, stop - column
            shift = begin & 3
            low, high = ops.counters(begin, (int(shift.max()) + count + 3) // 4, stream.counter)
            words = _philox(ops, low, high, low ^ low, low ^ low, *key)
            if kind in _WORD_DISTRIBUTIONS:
                lanes = [_WORD_DISTRIBUTIONS[kind](ops, constants, word) for word in words]
            else:
                lanes = [*_normal_pair(ops, constants, *words[:2]), *_normal_pair(ops, constants, *words[2:])]
            values = ops.interleave(lanes)
            if (shift == shift[0]).all():
                values = values[:, int(shift[0]) : int(shift[0]) + count]
            else:
                values = ops.take(values, shift[:, None] + np.arange(count, dtype=np.int64))
            if kind == 'sparse':
                index = begin[:, None] + np.arange(count, dtype=np.int64)
                row, col = (ops.words(x) for x in np.divmod(index, spec.distribution['columns']))
                values = ops.where(_sparse_zero(ops, constants, row, col), values * 0.0, values) + 0.0
            ops.store(rows[chosen, at + column : at + stop], values, spec.dtype)
    return out


def _host_values(spec, region):
    """The region's elements of a distribution that is made on the host: float32, flattened; a function of their indices."""
    out = np.empty(region.size, np.float32)
    first, stop = region.extent()
    made = _orthogonal_values(spec.distribution, spec.stream, first, stop) if spec.distribution['kind'] == 'orthogonal' else None
    for at, starts, length in region.runs():
        rows = out.reshape(len(starts), -1)
        for chosen, column, stop in _pieces(starts, length, _Numpy.chunk):
            index = (starts[chosen] + column)[:, None] + np.arange(stop - column, dtype=np.int64)
            values = _sinusoid_values(spec.distribution, index) if made is None else made[index - first]
            rows[chosen, at + column : at + stop] = values
    return out


def _fill(ops, spec, region, out=None):
    """The region's elements, flattened; written into `out` (of the right dtype, one-dimensional) where there is one."""
    distribution = spec.distribution
    if region.size == 0:
        return ops.empty(0, spec.dtype) if out is None else out
    if distribution['kind'] in _RANDOM:
        out = _sample(ops, spec, region, out)
    else:
        if out is None:
            out = ops.empty(region.size, spec.dtype)
        if distribution['kind'] == 'constant':
            ops.full(out, ops.scalar(distribution['value'], spec.dtype))
        elif distribution['kind'] == 'diagonal':
            ops.full(out, ops.scalar(0, spec.dtype))
            for run in distribution['runs']:
                ops.put(out, region.locate(**run), ops.scalar(distribution['value'], spec.dtype))
        else:
            ops.store(out, _host_values(spec, region), spec.dtype)
    if spec.padding is not None:
        first, count = spec.padding
        ops.put(out, region.locate(first, 1, count), ops.scalar(0, spec.dtype))
    return out


def _make(backend, spec, region):
    """The region as an array of its own shape, in the library that was asked for."""
    if backend.name == 'jax':
        return _jax_make(backend, spec, region)
    return backend.finish(_fill(backend, spec, region).reshape(region.shape), spec.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# JAX: one program for a kind of distribution, a shape and a dtype; every number is an argument
# ---------------------------------------------------------------------------------------------------------------------


def _jax_halves(value):
    return np.array([value & _MASK_32, value >> 32], np.uint32)


def _jax_index(ops, shape, strides, wide, base):
    """The index in the full tensor, (low, high); every element works out its own, so that any sharding of it is local."""
    jnp = ops.jnp
    low = jnp.full(shape, base[0])
    high = jnp.full(shape, base[1]) if wide else None
    for axis, stride in enumerate(strides):
        along = ops.jax.lax.broadcasted_iota('uint32', shape, axis)
        if not wide:
            low = low + along * jnp.uint32(stride & _MASK_32)
            continue
        carry_high, term = ops.multiply(along, jnp.uint32(stride & _MASK_32))
        low = low + term
        high = high + carry_high + along * jnp.uint32(stride >> 32) + (low < term).astype('uint32')
    return low, high


@functools.lru_cache(maxsize=1024)
def _jax_program(kind, shape, strides, wide, dtype, padded, sharding):
    jax = importlib.import_module('jax')
    jnp = importlib.import_module('jax.numpy')

    def program(zero, key, counter, base, constants, padding):
        ops = _Jax(zero)
        flat_low, flat_high = _jax_index(ops, shape, strides, wide, base)
        lane = flat_low & 3
        block = (flat_low >> 2) | (flat_high << 30) if wide else flat_low >> 2
        low = block + counter[0]
        high = counter[1] + (low < block).astype('uint32') + (flat_high >> 2 if wide else jnp.uint32(0))
        words = _philox(ops, low, high, low ^ low, low ^ low, key[0], key[1])
        if kind in _WORD_DISTRIBUTIONS:
            upper, lower = jnp.where(lane == 3, words[3], words[2]), jnp.where(lane == 1, words[1], words[0])
            values = _WORD_DISTRIBUTIONS[kind](ops, constants, jnp.where(lane >= 2, upper, lower))
        else:
            x, y = (jnp.where(lane >= 2, words[2 + i], words[i]) for i in (0, 1))
            cosine, sine = _normal_pair(ops, constants, x, y)
            values = jnp.where((lane & 1) == 0, cosine, sine)
        if kind == 'sparse':
            columns = constants['columns']
            values = jnp.where(_sparse_zero(ops, constants, flat_low // columns, flat_low % columns), 0.0, values)
        if padded:
            # first <= index < stop: both as 64-bit comparisons where there are high halves.
            at_least = flat_low >= padding[0]
            below = flat_low <= padding[2]
            if wide:
                at_least = (flat_high > padding[1]) | ((flat_high == padding[1]) & at_least)
                below = (flat_high < padding[3]) | ((flat_high == padding[3]) & below)
            values = jnp.where(at_least & below, 0.0, values)
        return values.astype(dtype)

    return jax.jit(program) if sharding is None else jax.jit(program, out_shardings=sharding)


def _jax_make(backend, spec, region):
    jax, jnp = backend.jax, backend.jnp
    where = f'Parameter {_show(spec.name)}'
    try:
        dtype = backend.dtype(spec.dtype)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from None
    traced = isinstance(jnp.zeros((), 'uint32'), jax.core.Tracer)
    kind = spec.distribution['kind']
    if kind not in _RANDOM or region.size == 0:
        if kind == 'constant' and spec.padding is None:
            made = jnp.full(region.shape, backend.scalar(spec.distribution['value'], spec.dtype), dtype)
        else:
            host = _Numpy()
            made = _fill(host, spec, region).reshape(region.shape)
            made = jnp.asarray(made.view(dtype) if spec.dtype == 'bfloat16' else made, dtype)
        return made if traced or backend.sharding is None else jax.device_put(made, backend.sharding)
    zero = backend.zero
    if traced and not isinstance(zero, jax.core.Tracer):
        raise ValueError(
            f'{where}: inside jax.jit the compiler may fuse products with sums, which changes bits. Give your function a '
            'uint32 argument, pass it on as zero=..., and call it with numpy.uint32(0): a constant does not do.'
        )
    zero = np.uint32(0) if zero is None else zero
    base, _ = region.extent()
    wide = math.prod(region.full_shape) > 2**32
    padding = np.zeros(4, np.uint32)
    if spec.padding is not None:
        first, count = spec.padding
        padding = np.concatenate([_jax_halves(first), _jax_halves(first + count - 1)])
    constants = {
        name: np.float32(value) if isinstance(value, float) else np.uint32(value)
        for name, value in _sampler_constants(spec).items()
    }
    program = _jax_program(
        kind, region.shape, region.strides, wide, dtype, spec.padding is not None, None if traced else backend.sharding
    )
    key, counter = _jax_halves(spec.stream.key), _jax_halves(spec.stream.counter)
    return program(zero, key, counter, _jax_halves(base), constants, padding)


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------

# |z| that Box-Muller reaches, and that the inversion of one word reaches.
_NORMAL_REACH, _INVERSION_REACH = 6.77, 6.24
# Below it a product could be subnormal, which some devices flush to zero.
_SMALLEST_SCALE = 2.0**-60
_MOST = 2**53 - 1


def _show(value):
    """A value as an error message shows it, cut at 80 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, str)) else repr(value)
    except (TypeError, ValueError, RecursionError):
        text = f'a {type(value).__name__}'
    return text if len(text) <= 80 else text[:77] + '...'


def _finite(value, what, where):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise ValueError(f'{where}: {what} must be a finite number, but found {_show(value)}.')


def _is_count(value, least, most):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1 and least <= value <= most


def _counted(distribution, bounds, where):
    """The distribution with its counts as Python integers, each within its bounds."""
    checked = {}
    for key, (least, most) in bounds.items():
        if not _is_count(distribution[key], least, most):
            raise ValueError(
                f'{where}: distribution.{key} must be an integer in [{least}, {most}], but found {_show(distribution[key])}.'
            )
        checked[key] = int(distribution[key])
    return {**distribution, **checked}


def _record(value, what, known, where):
    if not isinstance(value, dict):
        raise ValueError(f'{where}: {what} must be an object, but found {_show(value)}.')
    for key in value:
        if key not in known:
            raise ValueError(f'{where}: unknown key {_show(key)} of {what}; known keys: {", ".join(known)}.')
    for key in known:
        if key not in value:
            raise ValueError(f'{where}: {what} has no {_show(key)}: {_show(value)}.')
    return value


def _not_tiny(value, what, where):
    if value != 0 and abs(value) < _SMALLEST_SCALE:
        raise ValueError(
            f'{where}: {what} {value} is too small: below 2^-60 ({_SMALLEST_SCALE:.3g}) float32 products may be flushed to zero '
            'on some devices. Use 0 or a larger value.'
        )


def _reach(reach, dtype, what, where):
    if reach > _FLOATS[dtype]:
        raise ValueError(
            f'{where}: {what} overflows {dtype}: values reach {reach:.4g}, the largest finite {dtype} is {_FLOATS[dtype]}. '
            'Use a smaller distribution or a wider dtype.'
        )


def _std(value, where):
    std = _finite(value, 'std', where)
    if std < 0:
        raise ValueError(f'{where}: normal expects std >= 0.0, but found std {std}.')
    return std


def _constant(value, dtype, where):
    value = _finite(value, 'the constant', where)
    if dtype in _FLOATS:
        if abs(value) > _FLOATS[dtype]:
            raise ValueError(
                f'{where}: constant {value} is out of bounds for {dtype}, whose largest finite value is {_FLOATS[dtype]}.'
            )
    else:
        bits = _WIDTHS.get(dtype, 1)
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.startswith('int') else (0, 2**bits - 1)
        if not (value.is_integer() and low <= value <= high):
            raise ValueError(f'{where}: constant {value} is not an integer in [{low}, {high}], the range of {dtype}.')
    return {'kind': 'constant', 'value': value}


_DISTRIBUTION_KEYS = {
    'constant': ('value',),
    'uniform': ('low', 'high'),
    'normal': ('mean', 'std'),
    'truncated-normal': ('mean', 'std', 'low', 'high'),
    'sparse': ('std', 'rows', 'columns', 'zeros'),
    'diagonal': ('value', 'elementCount', 'runs'),
    'orthogonal': ('gain', 'batch', 'rows', 'columns', 'field', 'centre', 'stride'),
    'sinusoid': ('rows', 'columns', 'maxTimescale', 'arrangement'),
}


def _checked_distribution(value, dtype, count, where):
    """The distribution to draw: numbers as floats, counts as integers. Without spread it has become a constant."""
    kind = value.get('kind') if isinstance(value, dict) else None
    if kind == 'custom':
        raise ValueError(
            f'{where} has a sampler of its own (defineSampler), whose code is not in the manifest: only JavaScript can make '
            'its values. Load them from a file.'
        )
    if not isinstance(kind, str) or kind not in _DISTRIBUTION_KEYS:
        raise ValueError(f'{where}: unknown distribution {_show(value)}; known kinds: {", ".join(_DISTRIBUTION_KEYS)}.')
    distribution = dict(_record(value, 'distribution', ('kind', *_DISTRIBUTION_KEYS[kind]), where))
    if kind == 'constant':
        return _constant(distribution['value'], dtype, where)
    if kind == 'diagonal':
        return _checked_diagonal(distribution, dtype, count, where)
    if dtype not in _FLOATS:
        raise ValueError(
            f'{where} has dtype {dtype}, which takes no random values ("{kind}" not implemented for \'{dtype}\'). Give it a '
            'constant, or make it float32, float16 or bfloat16.'
        )
    return _CHECKS[kind](distribution, dtype, count, where)


def _checked_uniform(distribution, dtype, _, where):
    low, high = _finite(distribution['low'], 'low', where), _finite(distribution['high'], 'high', where)
    if low > high:
        raise ValueError(f'{where}: uniform_ expects to return a [from, to) range, but found from={low} > to={high}. Swap them.')
    _reach(max(abs(low), abs(high), high - low), dtype, f'the range [{low}, {high})', where)
    if _f32(low) == _f32(high):
        return _constant(low + 0, dtype, where)
    _not_tiny(high - low, 'the range high - low', where)
    _not_tiny(low, 'low', where)
    return {'kind': 'uniform', 'low': low, 'high': high}


def _checked_normal(distribution, dtype, _, where):
    mean, std = _finite(distribution['mean'], 'mean', where), _std(distribution['std'], where)
    if std == 0:
        return _constant(mean, dtype, where)
    _reach(abs(mean) + _NORMAL_REACH * std, dtype, f'mean {mean} with std {std}', where)
    _not_tiny(std, 'std', where)
    _not_tiny(mean, 'mean', where)
    return {'kind': 'normal', 'mean': mean, 'std': std}


def _checked_truncated_normal(distribution, dtype, _, where):
    mean, std = _finite(distribution['mean'], 'mean', where), _std(distribution['std'], where)
    if std == 0:
        raise ValueError(f'{where}: a truncated normal needs std > 0, but found std 0. Use a constant.')
    # JSON has no infinite numbers: a bound that is not there is null.
    low, high = (
        infinite if distribution[key] is None or distribution[key] == infinite else _finite(distribution[key], key, where)
        for key, infinite in (('low', -math.inf), ('high', math.inf))
    )
    if not low < high:
        raise ValueError(
            f'{where}: the interval [{low}, {high}] is empty: a truncated normal needs low < high. Swap or widen them.'
        )
    _not_tiny(std, 'std', where)
    _not_tiny(mean, 'mean', where)
    least = max(low, min(mean, high) - _INVERSION_REACH * std)
    most = min(high, max(mean, low) + _INVERSION_REACH * std)
    _reach(max(abs(least), abs(most)), dtype, f'mean {mean} with std {std}', where)
    checked = {'kind': 'truncated-normal', 'mean': mean, 'std': std, 'low': low, 'high': high}
    _truncated_normal_constants(checked, where)
    return checked


def _checked_sparse(distribution, dtype, count, where):
    bounds = {'rows': (1, count), 'columns': (1, count), 'zeros': (0, distribution['rows'])}
    distribution = _counted(distribution, bounds, where)
    std = _std(distribution['std'], where)
    if distribution['rows'] * distribution['columns'] != count:
        raise ValueError(f'{where}: {distribution["rows"]} x {distribution["columns"]} are not its {count} elements.')
    if count >= 2**32:
        raise ValueError(f'{where}: sparse takes fewer than 2^32 elements, but found {count}. Split the matrix.')
    if std == 0 or distribution['zeros'] >= distribution['rows']:
        return _constant(0, dtype, where)
    _reach(_NORMAL_REACH * std, dtype, f'std {std}', where)
    _not_tiny(std, 'std', where)
    return {**distribution, 'std': std}


def _checked_diagonal(distribution, dtype, count, where):
    _constant(distribution['value'], dtype, where)
    if distribution['elementCount'] != count or not isinstance(distribution['runs'], list):
        raise ValueError(f'{where}: {_show(distribution)} is no diagonal distribution of {count} elements.')
    runs = []
    for run in distribution['runs']:
        _record(run, 'a run of the diagonal', ('first', 'stride', 'count'), where)
        first, stride, length = run['first'], run['stride'], run['count']
        fits = _is_count(first, 0, count - 1) and _is_count(stride, 2, _MOST) and _is_count(length, 1, count)
        if not fits or first + (length - 1) * stride >= max(count, first + 1):
            raise ValueError(f'{where}: the run {_show(run)} is no diagonal of {count} elements.')
        runs.append({'first': int(first), 'stride': int(stride), 'count': int(length)})
    return {'kind': 'diagonal', 'value': float(distribution['value']), 'runs': runs}


def _checked_orthogonal(distribution, dtype, count, where):
    bounds = {key: (1, count) for key in ('batch', 'rows', 'columns', 'field')}
    distribution = _counted(distribution, {**bounds, 'centre': (0, _MOST), 'stride': (1, _MOST)}, where)
    batch, rows, columns, field = (distribution[key] for key in bounds)
    placed = distribution['centre'] < field and distribution['stride'] in (1, field)
    if not placed or batch * rows * columns * field != count or (field > 1 and batch > 1):
        raise ValueError(f'{where}: {_show(distribution)} is no orthogonal distribution of {count} elements.')
    if count >= 2**31:
        raise ValueError(f'{where}: orthogonal takes fewer than 2^31 elements, but found {count}. Split the parameter.')
    gain = _finite(distribution['gain'], 'gain', where)
    if gain == 0:
        return _constant(0, dtype, where)
    _not_tiny(gain, 'gain', where)
    _reach(abs(gain), dtype, f'gain {gain}', where)
    return {**distribution, 'gain': gain}


def _checked_sinusoid(distribution, _dtype, count, where):
    distribution = _counted(distribution, {'rows': (1, 2**20), 'columns': (4, count)}, where)
    if distribution['columns'] % 2 or distribution['arrangement'] not in ('halves', 'interleaved'):
        raise ValueError(
            f'{where}: sinusoids need an even number of columns, in "halves" or "interleaved", but found {_show(distribution)}.'
        )
    if distribution['rows'] * distribution['columns'] != count:
        raise ValueError(f'{where}: {distribution["rows"]} x {distribution["columns"]} are not its {count} elements.')
    timescale = _finite(distribution['maxTimescale'], 'maxTimescale', where)
    if not 1 < timescale <= 1e9:
        raise ValueError(f'{where}: maxTimescale must be above 1 and at most 1e9, but found {timescale}.')
    return {**distribution, 'maxTimescale': timescale}


_CHECKS = {
    'uniform': _checked_uniform,
    'normal': _checked_normal,
    'truncated-normal': _checked_truncated_normal,
    'sparse': _checked_sparse,
    'orthogonal': _checked_orthogonal,
    'sinusoid': _checked_sinusoid,
}


def _checked_shape(value, where, what='shape'):
    if not isinstance(value, (list, tuple)):
        raise ValueError(f'{where}: {what} must be a list of positive integers, but found {_show(value)}.')
    lengths = []
    for axis, length in enumerate(value):
        if isinstance(length, (float, bool)) or not hasattr(length, '__index__') or length < 1:
            hint = ' A zero-element tensor has nothing to initialise: leave it out.' if length == 0 else ''
            raise ValueError(
                f'{where}: dimension {axis} of {what} {_show(value)} is {_show(length)}; every dimension must be a positive '
                f'integer.{hint}'
            )
        lengths.append(operator.index(length))
    if math.prod(lengths) > _MOST:
        raise ValueError(f'{where}: {what} {_show(value)} has more than 2^53 - 1 elements, which cannot be addressed.')
    return tuple(lengths)


def _checked_dtype(value, where):
    if isinstance(value, str) and value in _DTYPES:
        return value
    raise ValueError(f'{where}: unknown dtype {_show(value)}; known: {", ".join(_DTYPES)}.')


def _checked_padding(value, count, where):
    if value is None:
        return None
    _record(value, 'padding', ('first', 'count'), where)
    first, length = value['first'], value['count']
    if not (_is_count(first, 0, count - 1) and _is_count(length, 1, count - first)):
        raise ValueError(f'{where}: padding {_show(value)} is no range of its {count} elements.')
    return int(first), int(length)


def _spec(name, shape, distribution, dtype, padding, stream, where):
    shape = _checked_shape(shape, where)
    dtype = _checked_dtype(dtype, where)
    count = math.prod(shape)
    distribution = _checked_distribution(distribution, dtype, count, where)
    padding = _checked_padding(padding, count, where)
    if padding is not None and distribution['kind'] == 'orthogonal':
        raise ValueError(f'{where}: an orthogonal distribution has no padding row.')
    return _Spec(name, shape, distribution, dtype, padding, stream)


# ---------------------------------------------------------------------------------------------------------------------
# Public: one tensor
# ---------------------------------------------------------------------------------------------------------------------


def tensor(
    seed,
    name,
    shape,
    distribution,
    dtype='float32',
    start=None,
    stop=None,
    *,
    like=None,
    padding=None,
    zero=None,
):
    """The values of a parameter, or of its elements [start, stop).

    Args:
      seed: an integer, taken mod 2^64; 0 is a seed like any other.
      name: the parameter's name: it chooses the random words.
      shape: the full shape, also where only a part is asked for. Every length is at least 1; () is a scalar.
      distribution: the JSON object of a manifest or of `webgpu-init plan --json`. Its numbers are float64 and are rounded
        once to float32; `word` is the element's own 32-bit word of Philox4x32-10:

        - constant {value}: value, rounded to the dtype
        - uniform {low, high}: low + (k 2^-24) (high - low), k = word & 0xffffff, in [low, high); where low = -high,
          high ((k - 2^23) 2^-23), in [-high, high)
        - normal {mean, std}: z std + mean, |z| <= 6.77, z by Box and Muller
        - truncated-normal {mean, std, low, high}: N(mean, std^2) given that it lies in [low, high], both ends closed, by
          inversion of one word; null for a bound means none
        - sparse {std, rows, columns, zeros}: N(0, std^2), and `zeros` zeros in every column
        - diagonal {value, elementCount, runs}: 0, and value at first, first + stride, ... of every run: eye and dirac
        - sinusoid {rows, columns, maxTimescale, arrangement}: sines and cosines of the position, in [-1, 1]
        - orthogonal {gain, batch, rows, columns, field, centre, stride}: gain times Q of the QR factorisation of N(0, 1)
          elements with R's diagonal positive; field > 1 puts it at the centre of a kernel (delta-orthogonal)
      dtype: 'float32', 'float16' or 'bfloat16': the float32 value rounded to nearest even, so the rounded value may equal
        the excluded end of a range. Integers and 'bool' take constants and diagonals only.
      start, stop: indices into the flattened tensor, 0 <= start <= stop <= number of elements. Default: all of it.
      like: the array library, and the device that computes: numpy (default), torch, a torch.device, a tensor, jax, a
        jax.Device, a jax.sharding.Sharding, or 'numpy', 'torch', 'jax'.
      padding: {first, count}: elements [first, first + count) that are 0 whatever the distribution.
      zero: only inside jax.jit: an argument of the jitted function, called with numpy.uint32(0). Without it the compiler
        fuses products with sums, and bits change.

    Returns:
      An array of `shape`; with start or stop a one-dimensional one of stop - start elements. NumPy has no bfloat16: an
      ml_dtypes.bfloat16 array where ml_dtypes is installed, else the bits as uint16.

    Exactness: the same bits as webgpu-init's CPU path and every GPU, in every library, on every device, in any slice.
    The one exception is orthogonal: the N(0, 1) matrix is exact, and NumPy's QR in float64, always on the CPU, agrees
    with the other devices within 2e-5 for a gain of 1, where the matrix is not close to singular. A slice of it costs the
    whole matrix. In JAX, distributions without words (diagonal, sinusoid, orthogonal) are made on the CPU and copied.

    Raises:
      ValueError: naming the parameter, the value, the limit and the remedy.

    >>> distribution = {'kind': 'uniform', 'low': -0.5, 'high': 0.5}
    >>> matrix = tensor(7, 'fc.weight', (2, 3), distribution)
    >>> matrix.tolist() == tensor(7, 'fc.weight', (6,), distribution).reshape(2, 3).tolist()
    True
    >>> tensor(7, 'fc.weight', (10**6, 10**6), distribution, start=10**11, stop=10**11 + 2).shape
    (2,)
    >>> tensor(7, 'fc.weight', (2, 3), {'kind': 'normal', 'mean': 0, 'std': -1})
    Traceback (most recent call last):
    ValueError: Parameter "fc.weight": normal expects std >= 0.0, but found std -1.0.
    """
    if not isinstance(name, str) or name == '':
        raise ValueError(f'name must be a non-empty string, but found {_show(name)}.')
    where = f'Parameter {_show(name)}'
    stream = _parameter_stream(name, _checked_seed(seed, where))
    spec = _spec(name, shape, distribution, dtype, padding, stream, where)
    backend = _backend(like, zero)
    count = math.prod(spec.shape)
    if start is None and stop is None:
        return _make(backend, spec, _Region.whole(spec.shape))
    begin, end = (
        _checked_end(x, default, what, count, where) for x, default, what in ((start, 0, 'start'), (stop, count, 'stop'))
    )
    if begin > end:
        raise ValueError(f'{where}: start {begin} is behind stop {end}. Swap them.')
    return _make(backend, spec, _Region((count,), (range(begin, end),)))


def _checked_seed(seed, where):
    try:
        if not isinstance(seed, bool):
            return operator.index(seed)
    except TypeError:
        pass
    raise ValueError(f'{where}: seed must be an integer, but found {_show(seed)}.')


def _checked_end(value, default, what, count, where):
    if value is None:
        return default
    if not hasattr(value, '__index__') or isinstance(value, bool) or not 0 <= value <= count:
        raise ValueError(
            f'{where}: {what} must be an integer in [0, {count}], the number of its elements, but found {_show(value)}.'
        )
    return operator.index(value)


# ---------------------------------------------------------------------------------------------------------------------
# Manifests
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Entry:
    """A parameter of a manifest: its full tensor, and which part of it the manifest holds."""

    spec: _Spec
    region: _Region
    tied_to: str | None


@dataclass(frozen=True)
class _Manifest:
    entries: dict
    # Names that only share another parameter's memory, and are no parameters of the manifest.
    aliases: dict

    def owner(self, name):
        """The entry whose values a name has, or None."""
        entry = self.entries.get(self.aliases.get(name, name))
        return self.entries[entry.tied_to] if entry is not None and entry.tied_to is not None else entry


_MANIFEST_KEYS = ('format', 'version', 'valueContract', 'generator', 'generatorSettings', 'seed', 'parameters')
_ENTRY_KEYS = ('name', 'shape', 'part', 'dtype', 'role', 'initializer', 'config', 'distribution', 'tiedTo', 'padding',
               'stream', 'generatorSource')  # fmt: skip
_METADATA_KEY = 'webgpu-init'
_MOST_HEADER_BYTES = 100_000_000


def load_manifest(path):
    """Reads a manifest from a JSON file, or from the metadata of a .safetensors file that webgpu-init wrote.

    Returns the manifest as a dict, for `state_dict`, `materialize_` and `jax_tree`, which check it.
    Raises ValueError for a file that holds none; OSError for one that cannot be read.
    """
    path = os.fspath(path)
    with open(path, 'rb') as file:
        if not str(path).endswith('.safetensors'):
            return _parse_json(file.read(), path)
        length = int.from_bytes(file.read(8), 'little')
        if length > _MOST_HEADER_BYTES:
            raise ValueError(f'{path}: a header of {length} bytes is beyond the {_MOST_HEADER_BYTES} of safetensors.')
        header = _parse_json(file.read(length), path)
    metadata = header.get('__metadata__') if isinstance(header, dict) else None
    text = metadata.get(_METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ValueError(
            f'{path} has no manifest in its metadata: webgpu-init did not write it. Use the JSON of weights.manifest().'
        )
    return _parse_json(text, path)


def _parse_json(text, what):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{what}: not valid JSON: {error}.') from None


def _read_manifest(manifest):
    """A manifest or a plan, checked: every field, before anything is allocated."""
    if isinstance(manifest, _Manifest):
        return manifest
    if isinstance(manifest, str) and manifest.lstrip()[:1] in ('{', '['):
        manifest = _parse_json(manifest, 'Manifest')
    elif isinstance(manifest, (str, os.PathLike)):
        manifest = load_manifest(manifest)
    if not isinstance(manifest, dict):
        raise ValueError(f'Manifest: it must be an object, or the path of one, but found {_show(manifest)}.')
    plan = 'format' not in manifest and 'totals' in manifest
    if not plan:
        if manifest.get('format') != 'webgpu-init-manifest':
            raise ValueError(f'Manifest: format must be "webgpu-init-manifest", but found {_show(manifest.get("format"))}.')
        for key in manifest:
            if key not in _MANIFEST_KEYS:
                raise ValueError(f'Manifest: unknown key {_show(key)}; known keys: {", ".join(_MANIFEST_KEYS)}.')
    if (manifest.get('version') != 1 and not plan) or manifest.get('valueContract') != VALUE_CONTRACT:
        raise ValueError(
            f'Manifest: version {_show(manifest.get("version"))} with value contract {_show(manifest.get("valueContract"))} was '
            f'not made for this release, which knows version 1 with contract {VALUE_CONTRACT}. Use the release that wrote it.'
        )
    if manifest.get('generator') != 'philox':
        raise ValueError(
            f'Manifest: generator {_show(manifest.get("generator"))} follows another library; this module makes the numbers of '
            '"philox" only. Use that library itself, or load the values from a file that webgpu-init wrote.'
        )
    seed = manifest.get('seed')
    if isinstance(seed, bool) or not (isinstance(seed, (int, str)) and re.fullmatch(r'-?[0-9]{1,400}', str(seed))):
        raise ValueError(f'Manifest: seed must be a decimal string, but found {_show(seed)}.')
    parameters = manifest.get('parameters')
    if not isinstance(parameters, list) or len(parameters) == 0:
        raise ValueError(f'Manifest: parameters must be a list that is not empty, but found {_show(parameters)}.')
    entries = {}
    for index, value in enumerate(parameters):
        entry = _read_entry(value, index, int(seed), plan)
        if entry is None:
            continue
        if entry.spec.name in entries:
            raise ValueError(f'Manifest: two parameters are called {_show(entry.spec.name)}.')
        entries[entry.spec.name] = entry
    for entry in entries.values():
        _check_tie(entry, entries)
    tied = manifest.get('tied') if plan else None
    if isinstance(tied, dict):
        # What is tied to a skipped parameter is skipped too.
        skipped = {value['name'] for value in parameters} - entries.keys()
        tied = {name: owner for name, owner in tied.items() if not (isinstance(owner, str) and owner in skipped)}
    return _Manifest(entries, _read_aliases(tied, entries))


def _read_entry(value, index, seed, plan):
    if not isinstance(value, dict):
        raise ValueError(f'Manifest: parameters[{index}] must be an object, but found {_show(value)}.')
    name = value.get('name')
    if not isinstance(name, str) or name == '':
        raise ValueError(f'Manifest: parameters[{index}]: name must be a non-empty string, but found {_show(name)}.')
    where = f'Parameter {_show(name)}'
    if plan and value.get('action') == 'skip':
        return None
    if not plan:
        for key in value:
            if key not in _ENTRY_KEYS:
                raise ValueError(f'{where}: unknown key {_show(key)}; known keys: {", ".join(_ENTRY_KEYS)}.')
    if value.get('generatorSource') is not None:
        raise ValueError(f'{where}: generator philox has no generatorSource, but found {_show(value["generatorSource"])}.')
    tied_to = value.get('tiedTo')
    if tied_to is not None and not isinstance(tied_to, str):
        raise ValueError(f'{where}: tiedTo must be a name, but found {_show(tied_to)}.')
    held = _checked_shape(value.get('shape'), where)
    full, lists = held, tuple(range(n) for n in held)
    if value.get('part') is not None:
        full, lists = _read_part(value['part'], held, where)
    stream = _parameter_stream(name, seed)
    if value.get('stream') is not None and _recorded_stream(value['stream'], where) != stream:
        raise ValueError(
            f'{where}: its stream {_show(value["stream"])} is not that of its name and seed {seed}, which is '
            f'{stream.key}, {stream.counter}. Make the plan again.'
        )
    padding = value.get('padding')
    spec = _spec(name, full, value.get('distribution'), value.get('dtype'), padding, stream, where)
    return _Entry(spec, _Region(full, lists), tied_to)


def _read_part(value, held, where):
    _record(value, 'part', ('fullShape', 'start', 'end'), where)
    full = _checked_shape(value['fullShape'], where, 'part.fullShape')
    for key in ('start', 'end'):
        bounds = value[key]
        fits = isinstance(bounds, list) and len(bounds) == len(full)
        if not fits or not all(_is_count(bound, 0, length) for bound, length in zip(bounds, full)):
            raise ValueError(
                f'{where}: part.{key} must have an integer within each axis of {list(full)}, but found {_show(bounds)}.'
            )
    lists = tuple(range(int(a), int(b)) for a, b in zip(value['start'], value['end']))
    if tuple(len(indices) for indices in lists) != held:
        raise ValueError(f'{where}: the part has shape {[len(i) for i in lists]}, but the parameter {list(held)}.')
    return full, lists


def _check_tie(entry, entries):
    if entry.tied_to is None:
        return
    name, owner = _show(entry.spec.name), entries.get(entry.tied_to)
    if owner is None or owner.tied_to is not None:
        raise ValueError(
            f'Manifest: parameter {name} is tied to {_show(entry.tied_to)}, which is no parameter with memory of its own.'
        )
    if owner.region.size != entry.region.size or owner.spec.dtype != entry.spec.dtype:
        raise ValueError(f'Manifest: parameter {name} is tied to {_show(entry.tied_to)}, which has another size or dtype.')


def _read_aliases(value, entries):
    """A plan's `tied`: names of a state dict that only share an owner's memory."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f'tied must be an object of names, but found {_show(value)}.')
    for name, owner in value.items():
        if not isinstance(owner, str) or owner not in entries:
            raise ValueError(f'Parameter {_show(name)} is tied to {_show(owner)}, which is no parameter of the manifest.')
        if name in entries:
            raise ValueError(f'Parameter {_show(name)} is tied to {_show(owner)}, but the manifest has values of its own for it.')
    return dict(value)


def _chosen(manifest, only):
    """Names to make, in the manifest's order."""
    if only is None:
        return list(manifest.entries)
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in manifest.entries:
            raise ValueError(f'Parameter {_show(name)} is not in the manifest, which has {_sample_of(manifest.entries)}.')
    return names


def _sample_of(names, most=4):
    names = list(names)
    return ', '.join(map(_show, names[:most])) + (f', ... ({len(names)})' if len(names) > most else '')


def state_dict(manifest, *, like=None, only=None):
    """Every parameter of a manifest by name, in its order.

    Args:
      manifest: what `weights.manifest()` or `load_manifest` gives, as a dict or as JSON text, a plan of
        `webgpu-init plan --json`, or a path.
      like: the array library, as in `tensor`.
      only: names to make; default all.

    Returns:
      A dict. Tied names have the same array object, those of a plan's `tied` too. A parameter of which the manifest
      holds a part is that part.

    Raises:
      ValueError: for a manifest that is none, or whose generator is not 'philox'; it names the parameter.

    >>> manifest = {
    ...     'format': 'webgpu-init-manifest', 'version': 1, 'valueContract': 1, 'generator': 'philox', 'seed': '42',
    ...     'parameters': [{'name': 'fc.weight', 'shape': [4, 3], 'dtype': 'float32', 'role': 'weight',
    ...                     'initializer': 'normal', 'config': {}, 'distribution': {'kind': 'normal', 'mean': 0, 'std': 1}}],
    ... }
    >>> {name: array.shape for name, array in state_dict(manifest).items()}
    {'fc.weight': (4, 3)}
    """
    checked = _read_manifest(manifest)
    names = _chosen(checked, only)
    backend = _backend(like)
    made, out = {}, {}
    for name in names:
        entry = checked.owner(name)
        owner = entry.spec.name
        if owner not in made:
            made[owner] = _make(backend, entry.spec, entry.region)
        array, shape = made[owner], checked.entries[name].region.shape
        out[name] = array if tuple(array.shape) == shape else array.reshape(shape)
    if only is None:
        out.update((alias, made[checked.owner(owner).spec.name]) for alias, owner in checked.aliases.items())
    return out


def jax_tree(manifest, *, flat=False, sharding=None, only=None):
    """The parameters of a manifest as JAX arrays: a nested dict, one level for every dot in a name.

    Args:
      manifest: as in `state_dict`.
      flat: True for one dict with whole names.
      sharding: a jax.sharding.Sharding for all, a mapping from names, or a function (name, shape) -> sharding or None. Every
        device makes its own elements, without communication (sparse distributions excepted). JAX refuses shardings that do
        not divide.
      only: names to make; default all. Names that a plan only ties (`tied`) are no leaves.

    Exactness: as in `tensor`, under jit too: the program is compiled once for a distribution, a shape and a dtype.
    Raises ValueError as `state_dict` does, and for a name that is also the beginning of another's path.
    """
    checked = _read_manifest(manifest)
    jax = importlib.import_module('jax')

    def sharding_of(name, shape):
        if sharding is None or isinstance(sharding, jax.sharding.Sharding):
            return sharding
        return sharding(name, shape) if callable(sharding) else sharding.get(name)

    made, tree = {}, {}
    for name in _chosen(checked, only):
        entry = checked.owner(name)
        owner = entry.spec.name
        if owner not in made:
            made[owner] = _make(_Jax(None, sharding_of(owner, entry.region.shape)), entry.spec, entry.region)
        shape = checked.entries[name].region.shape
        _place(tree, [name] if flat else name.split('.'), made[owner].reshape(shape), name)
    return tree


def _place(tree, path, array, name):
    *parents, last = path
    for part in parents:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ValueError(f'Parameter {_show(name)}: another parameter has the first part of its name. Use flat=True.')
    if last in tree:
        raise ValueError(f'Parameter {_show(name)}: its name is the first part of another one. Use flat=True.')
    tree[last] = array


# ---------------------------------------------------------------------------------------------------------------------
# PyTorch modules
# ---------------------------------------------------------------------------------------------------------------------

# What wrappers put into the names of parameters: torch.distributed's checkpoint_wrapper, torch.compile.
_WRAPPERS = ('_checkpoint_wrapped_module', '_orig_mod')


def materialize_(module, manifest, *, device=None, buffers=None, tied=None):
    """Fills the parameters of a torch module in place, and its buffers that the manifest names.

    Every rank makes its own elements and nothing is communicated: after FSDP2 (`fully_shard`), tensor parallelism
    (`parallelize_module`) or both, parameters are DTensors, and each rank fills its local shard with the elements that
    the full tensor has there. Plain tensors are filled whole. Values are computed on each parameter's own device.

    Args:
      module: a torch.nn.Module; parameters on the meta device get memory first, as `to_empty` does, and ties stay.
      manifest: as in `state_dict`. Names are those of `module.named_parameters()`, without what checkpoint_wrapper and
        torch.compile put into them.
      device: where parameters on meta get their memory. Default: the mesh's device type for DTensors, else the CPU.
      buffers: {name: tensor} for buffers on meta that the manifest does not have, such as rotary frequencies: nobody else
        knows their values. `dict(other.named_buffers())` of the same module built on the CPU will do.
      tied: {name: owner} for names that share an owner's values; parallelize_module breaks ties silently. A plan's own
        `tied` counts too.

    A parameter in float16 or bfloat16 gets the float32 value rounded to nearest even, whatever dtype the manifest says.

    Returns the module. Raises ValueError, before anything is written, for a parameter that the manifest does not have, that
    has another shape or dtype, or whose placement is Partial.
    """
    torch = importlib.import_module('torch')
    checked = _read_manifest(manifest)
    checked = replace(checked, aliases={**checked.aliases, **_read_aliases(tied, checked.entries)})
    given = {} if buffers is None else {_plain_name(name): value for name, value in buffers.items()}

    groups = _tensors_of(module)
    jobs = []
    for names, tensor_, is_buffer in groups:
        job = _job(torch, checked, names, tensor_, is_buffer, given)
        if job is not None:
            jobs.append((names, job))
    if any(tensor_.is_meta for _, tensor_, _ in groups):
        _allocate(torch, module, device)
        groups = _tensors_of(module)
    now = {name: tensor_ for names, tensor_, _ in groups for name in names}
    with torch.no_grad():
        for names, job in jobs:
            # Tied parameters that were on meta may have become several tensors.
            for target in {id(now[name]): now[name] for name in names}.values():
                if isinstance(job, torch.Tensor):
                    target.copy_(job)
                else:
                    _write(torch, target, *job)
    return module


def _plain_name(name):
    return '.'.join(part for part in name.split('.') if part not in _WRAPPERS)


def _tensors_of(module):
    """(plain names, tensor, whether it is a buffer) of every tensor; one that is tied has several names."""
    groups = {}
    for is_buffer, named in ((False, module.named_parameters), (True, module.named_buffers)):
        for name, tensor_ in named(remove_duplicate=False):
            names, *_ = groups.setdefault(id(tensor_), ([], tensor_, is_buffer))
            names.append(_plain_name(name))
    return list(groups.values())


def _job(torch, manifest, names, tensor_, is_buffer, given):
    """What to write: (spec, region), or a tensor that the caller gave; None where a buffer keeps its values."""
    where = f'Parameter {_show(names[0])}'
    owners = {entry.spec.name: entry for entry in map(manifest.owner, names) if entry is not None}
    if not owners:
        if is_buffer:
            if not tensor_.is_meta:
                return None
            for name in names:
                if name in given:
                    if given[name].shape != tensor_.shape:
                        raise ValueError(
                            f'Buffer {_show(name)} has shape {list(tensor_.shape)}, but found {list(given[name].shape)}.'
                        )
                    return given[name]
            raise ValueError(
                f'Buffer {_show(names[0])} is on the meta device and not in the manifest: it would hold whatever its memory '
                'holds. Give its values, buffers={name: tensor}, for example dict(other.named_buffers()) of the module built '
                'on the CPU.'
            )
        raise ValueError(
            f'{where} is not in the manifest, which has {_sample_of(manifest.entries)}. Make the manifest from this model, name '
            f'the owner it is tied to (tied={{{_show(names[0])}: owner}}), or undo what renames it (weight_norm, DDP: pass '
            'its inner module).'
        )
    if len(owners) > 1:
        raise ValueError(
            f'{where} is one tensor in the module, but {_sample_of(owners)} are parameters of their own in the manifest. Untie '
            'them, or make the manifest with tied parameters.'
        )
    (entry,) = owners.values()
    dtype = str(tensor_.dtype).removeprefix('torch.')
    if dtype != entry.spec.dtype and not (dtype in _FLOATS and entry.spec.dtype in _FLOATS):
        raise ValueError(
            f'{where} has dtype {dtype}, but the manifest {entry.spec.dtype}. Use float32, float16 or bfloat16 for random '
            "values, and the manifest's own dtype for others."
        )
    spec = replace(entry.spec, distribution=_distribution_in_dtype(entry.spec, dtype, where), dtype=dtype)
    shape = tuple(tensor_.shape)
    if shape == spec.shape:
        region = _Region.whole(spec.shape)
    elif shape == entry.region.shape:
        region = entry.region
    elif math.prod(shape) == math.prod(spec.shape) and entry.spec.name not in names:
        # Tied in another shape: the same elements in the same order.
        region = _Region.whole(shape)
        spec = replace(spec, shape=shape)
    else:
        raise ValueError(
            f'{where} has shape {list(shape)}, but the manifest {list(spec.shape)}. Make the manifest from this model; tensors '
            'that are flattened or cut by hand (FSDP1) are not supported: use fully_shard.'
        )
    if not hasattr(tensor_, 'placements'):
        return spec, region
    if region.shape != region.full_shape:
        raise ValueError(f'{where} is a DTensor, and the manifest holds a part of it only. Use the manifest of the whole.')
    lists = _local_indices(tensor_, where)
    return None if lists is None else (spec, _Region(shape, lists))


def _distribution_in_dtype(spec, dtype, where):
    """The distribution, refused where it overflows the module's dtype. The numbers stay those of the manifest."""
    if spec.distribution['kind'] == 'diagonal':
        _constant(spec.distribution['value'], dtype, where)
        return spec.distribution
    return _checked_distribution(spec.distribution, dtype, math.prod(spec.shape), where)


def _split(indices, parts, part):
    """Piece `part` of `parts`, as torch.chunk cuts: ceil(n / parts) each, the last ones short or empty."""
    size = -(-len(indices) // parts)
    return indices[size * part : size * (part + 1)]


def _local_indices(tensor_, where):
    """For each dimension the global indices of this rank's shard of a DTensor; None on a rank outside the mesh.

    Placements apply from left to right: Shard cuts as torch.chunk does; _StridedShard cuts into split_factor pieces first,
    and takes its piece of each.
    """
    mesh = tensor_.device_mesh
    coordinate = mesh.get_coordinate()
    if coordinate is None:
        return None
    lists = [range(n) for n in tensor_.shape]
    for placement, parts, part in zip(tensor_.placements, tuple(mesh.shape), coordinate):
        kind = type(placement).__name__
        if kind == 'Replicate':
            continue
        if kind not in ('Shard', '_StridedShard'):
            raise ValueError(
                f'{where} has the placement {placement}, of which no rank holds elements. Redistribute it to Shard or Replicate.'
            )
        # Negative dimensions count from the last.
        dimension = placement.dim % len(lists)
        indices = lists[dimension]
        if kind == 'Shard':
            lists[dimension] = _split(indices, parts, part)
        else:
            factor = placement.split_factor
            pieces = [_split(_split(indices, factor, i), parts, part) for i in range(factor)]
            lists[dimension] = np.concatenate([np.asarray(piece, np.int64) for piece in pieces])
    return tuple(lists)


def _allocate(torch, module, device):
    """Memory for what is on meta, and nothing else; what was one tensor stays one."""
    slots = {}
    for submodule in module.modules():
        for table in (submodule._parameters, submodule._buffers):
            for key, value in table.items():
                if value is not None:
                    slots.setdefault(id(value), []).append((table, key))

    def allocate(tensor_):
        if not tensor_.is_meta:
            return tensor_
        target = device
        if target is None:
            target = tensor_.device_mesh.device_type if hasattr(tensor_, 'placements') else 'cpu'
        return torch.empty_like(tensor_, device=target)

    # to_empty, but for what has memory already. FSDP2 overrides _apply, and follows.
    module._apply(allocate)
    for tied in slots.values():
        (table, key), *others = tied
        for other, name in others:
            if other[name] is not table[key]:
                other[name] = table[key]


def _write(torch, target, spec, region):
    local = target.to_local() if hasattr(target, 'placements') else target.detach()
    if local.numel() == 0:
        return
    if tuple(local.shape) != region.shape:
        raise ValueError(
            f'Parameter {_show(spec.name)}: its local shard has shape {list(local.shape)}, but its placements say '
            f'{list(region.shape)}. This PyTorch ({torch.__version__}) cuts in another way: please report it.'
        )
    ops = _Torch(local.device)
    if local.is_contiguous():
        _fill(ops, spec, region, local.view(-1))
    else:
        local.copy_(_fill(ops, spec, region).reshape(local.shape))
