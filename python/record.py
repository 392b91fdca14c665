#!/usr/bin/env python3
"""Records how PyTorch initialises a model: which calls write every parameter, and every random call in order.

    python3 record.py torchvision.models:resnet50 -o resnet50.json
    python3 record.py timm:create_model --kwargs '{"model_name": "vit_tiny_patch16_224"}' -o vit.json
    python3 record.py --config config.json [--head LlamaForCausalLM] -o llama.json      (transformers)
    python3 record.py mypackage.model:Net --kwargs '{"width": 64}' --values tables.safetensors -o net.json

    from record import record
    recording = record(lambda: Net())

Needs torch, and the package of the model. The model is built without memory for its weights (FakeTensorMode), unless
`--values` (`values=`) asks for the tables: then it is built for real, with `torch.manual_seed(--seed)`.

THE FORMAT, version 1
=====================
    {
      "format": "webgpu-init-recording", "version": 1,
      "source": { "torch": "2.13.0", "python": "3.11.2", PACKAGE: VERSION ..., "class": "torchvision.models.resnet.ResNet",
                  "callable"?, "kwargs"?, "config"?, "head"?, "values"?: { "file", "seed" } },
      "parameters": [PARAMETER ...],
      "values"?: [VALUE ...],
      "generators"?: [{ "seed": INTEGER | null } ...],
      "program": [CALL ...],
      "findings": [{ "kind", "message", "parameter"?, "operation"? } ...]
    }

Numbers. A number that JSON cannot say is one of the strings "inf", "-inf", "nan". Integers beyond +-(2^53 - 1) are
strings of decimal digits. Truth values that fill a bool tensor are 0 and 1. Arguments are Python's own float64 numbers; a float32
call rounds them to float32, as PyTorch does. Dtypes: float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool, or
another name of torch.

PARAMETER: { "name", "shape", "dtype", "module", "buffer"?: true, "persistent"?: false, "tiedTo"?: NAME, "writes"?: [WRITE ...] }
    In the order of named_parameters(), other names of shared memory included, then the buffers.
    module: the class of the module that owns it, with its Python module: "torch.nn.modules.linear.Linear".
    persistent: false for a buffer that state_dict() leaves out.
    tiedTo: the same memory as an earlier entry, of the same shape; such an entry has no writes.
    writes: see WRITE. Empty: nothing was ever written there (torch.empty); PyTorch leaves what the memory held.

VALUE: { "name": "%0" "%1" ..., "shape", "dtype", "writes" }: a tensor that is no parameter, needed by a `from`. Writes of a value
    use earlier values only.

WRITE: [operation, argument ..., OPTIONS?]. OPTIONS is an object, always last, left out where empty. The writes of a parameter
    are applied in order to one array in row-major order ("the array"). Writes that later ones cover entirely are left out.
    Every array has a dtype at every moment: that of the parameter or value, unless OPTIONS has "dtype": the dtype of the array
    after this write (a first write on a part: before it too). All arithmetic is PyTorch's on that dtype: float16 and bfloat16 are computed in float32 and rounded by every write.
    OPTIONS:
      part   { "offset", "shape", "strides"? }: the elements written, in elements of the array: offset + sum(index * stride).
             Without strides: dense row-major. Without part: the whole array. A strided part that is a whole array says another memory order.
      dtype  as above. Only writes on the whole array change the dtype.
      call   index into "program": the elements come from that call, in row-major order of the part (or the whole array).
             Several writes may have one call: copies of a module have one draw.
      from   the name of a value;  source: { "offset", "shape", "strides"? }: the elements read (stride 0 repeats), as many as are
             written, each in row-major order of its own shape; without source: all of the value. A source of shape [] in mul_ and
             the like is one element, which takes part as a number does.
    Draws (with "call"): the same operation and arguments as the call itself.
    Fixed:
      fill_ number            zero_, ones_, constant_, full: one number
      eye_                    the part's two dimensions: 1 on the diagonal, 0 elsewhere
      copy_ {from}            the elements of a value, converted to the dtype of the array
      table {operations, random?, data?}
                              the result of operations that are not described here ("aten.log.default" ...). Its elements are not known to
                              the recording. random: they depend on draws, so that other seeds give others. With --values, data: the name
                              of a tensor in that file, with the part's (or array's) shape and dtype.
    Changes of what was there before:
      to                      converted to OPTIONS.dtype (round to nearest, ties to even)
      mul_ x, div_ x          by a number. Division is a division, not a product with the reciprocal.
      add_ x [alpha]          + alpha x;  sub_ x [alpha]: - alpha x. alpha is left out where it is 1.
      clamp_ low high         either may be null
      erfinv_, neg_
      mul_ div_ add_ sub_ {from}  with the elements of a value in place of x; here add_ and sub_ have alpha as their only argument, where it is not 1
    Only where the result depends on draws (a reader may treat these as a table with random: true):
      exp_ expm1_ log_ log1p_ sqrt_ rsqrt_ reciprocal_ abs_ sin_ cos_ tanh_ sigmoid_ sign_ floor_ round_, pow_ exponent
      norm_ p {from, source, dims, keepdim?}  vector norm of the source over its dimensions dims (weight normalisation); writes the array
    Scaling is kept, never folded: torch.randn(n) * 0.02 is randn 0 1, then mul_ 0.02 (two roundings). One thing is folded:
    uniform_, erfinv_, mul_, add_, clamp_ on the same elements, where their numbers are those of a truncated normal, are one trunc_normal_ by inversion.

CALL: [operation, target, count, argument ..., OPTIONS?]: every call that takes words of torch's CPU generator, in order.
    target: the first parameter whose writes need the call, directly or through values; null: the result is dropped (the words
    are taken all the same). count: elements drawn.
    OPTIONS: dtype, where it is not float32. shape and strides, only where the tensor is not dense row-major: see Words.
    generator: index into "generators": the call takes no words of the default generator, but of one of its own,
    torch.Generator().manual_seed(seed), which all calls with that index share; seed null: it cannot be followed.
      normal_ mean std
      randn 0 1               randn and randn_like: normal_(0, 1)
      uniform_ low high
      rand 0 1                rand and rand_like: uniform_(0, 1)
      trunc_normal_ mean std low high    bounds are absolute
                              OPTIONS.method absent: torch.nn.init's rejection loop (torch 2.13 and later)
                              method "inversion", uniform [low, high], scale: uniform_(low, high), erfinv_, mul_(scale), add_(mean),
                              clamp_(low, high), each rounded to the dtype; scale = std * sqrt(2): std is inferred from it
      orthogonal_ gain        OPTIONS.rows, columns: normal_(0, 1) of [rows, columns], transposed if rows < columns, QR, Q times the
                              signs of R's diagonal, transposed back, times gain
      sparse_ sparsity std    OPTIONS.rows, columns: normal_(0, std) of [rows, columns], then for every column randperm(rows), whose first
                              ceil(sparsity * rows) rows are 0
      randperm                always dtype int64 or what OPTIONS.dtype says; count elements
      bernoulli_ p
      random_ low high        integers low <= x < high (randint); both null: the full range of the dtype
      exponential_ lambda, cauchy_ median sigma, log_normal_ mean std, geometric_ p
      manual_seed seed        target null, count 0: the stream starts over with this seed, whatever the caller's
      get_state slot, set_state slot   target null, count 0: the state (with the kept normal) is kept, or set to what was kept (fork_rng)
      unknown name            a random operation that is none of these
    Words. 32-bit words of MT19937 that a call takes (torch 2.13.0, x86-64 Linux, measured): uniform_ 1 an element (float64: 2). normal_ on 16
    elements and more, dense: 1 an element, and 16 more where 16 does not divide their number (float64: twice that;
    float16 and bfloat16: floor(n / 16) * 16, and 16 more where 16 does not divide n). normal_ on fewer than 16, or on a tensor that
    is not dense row-major: one by one in memory order, 4 a pair, the second normal of a pair kept for the next such call.
    bernoulli_, exponential_, cauchy_, geometric_ 2 an element, log_normal_ as normal_ one by one; random_ 1 (a range of 2^32 and more, or all of int64: 2);
    randperm n - 1. Builds with MKL take other numbers of words for bernoulli_ and exponential_.
    A program is not to be replayed where it has an `unknown` call, or where findings have generator-state or depends-on-values.

FINDING: what a reader should show. kind: manual-seed, own-generator, python-random, numpy-random, generator-state, unknown-draw,
    random-table, uninitialised, depends-on-values, other-device.
"""

import argparse
import contextlib
import importlib
import json
import math
import os
import platform
import sys
import traceback
import types
import warnings

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

FORMAT = "webgpu-init-recording"
VERSION = 1
# Elements of a tensor whose values are followed while the model is built, so that .item() can be answered.
FOLLOWED = 2**20

RANDOM_IN_PLACE = {
    "normal_": (0.0, 1.0),
    "uniform_": (0.0, 1.0),
    "exponential_": (1.0,),
    "cauchy_": (0.0, 1.0),
    "log_normal_": (1.0, 2.0),
    "geometric_": (None,),
}
RANDOM_FACTORIES = {"randn", "rand", "randn_like", "rand_like", "randperm", "randint", "randint_like"}
RANDOM_UNKNOWN = {
    "multinomial", "poisson", "binomial", "_standard_gamma", "_sample_dirichlet", "native_dropout", "bernoulli", "normal",
    "rrelu_with_noise", "rrelu_with_noise_", "_fused_dropout", "normal_functional", "uniform", "exponential", "random",
    "log_normal", "cauchy", "geometric",
}  # fmt: skip
UNWRITTEN = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"}
COPIES = {"clone", "_to_copy", "contiguous", "_unsafe_view", "view_copy", "expand_copy", "t_copy", "permute_copy",
          "transpose_copy", "_reshape_alias_copy", "detach_copy", "slice_copy", "select_copy", "diagonal_copy"}  # fmt: skip
# They change what a tensor is a view of, not what is in memory.
VIEWS_IN_PLACE = {"set_", "t_", "transpose_", "squeeze_", "unsqueeze_", "swapaxes_", "swapdims_", "as_strided_", "detach_", "resize_",
                  "requires_grad_", "rename_"}  # fmt: skip
UNARY = {"erfinv", "neg"}
UNARY_OF_DRAWS = {"exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "reciprocal", "abs", "sin", "cos", "tanh", "sigmoid",
                  "sign", "floor", "round"}  # fmt: skip
BINARY = {"add", "sub", "mul", "div"}


class RecordingError(Exception):
    """A model that cannot be recorded: says where, and why."""


class Region:
    """Elements of a memory: offset, shape and strides, in elements of dtype."""

    __slots__ = ("offset", "shape", "strides")

    def __init__(self, offset, shape, strides):
        self.offset, self.shape = int(offset), tuple(map(int, shape))
        self.strides = tuple(1 if n == 1 else int(s) for n, s in zip(self.shape, strides))  # of one element: any

    def __eq__(self, other):
        return (self.offset, self.shape, self.strides) == (other.offset, other.shape, other.strides)

    @property
    def count(self):
        return math.prod(self.shape)

    def dense(self):
        """Row-major without gaps."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides)):
            if size != 1:
                if stride != expected:
                    return False
                expected *= size
        return True

    def interval(self):
        """(first, end) where the elements are exactly an interval of the memory, in any order; None otherwise."""
        expected = 1
        for stride, size in sorted((st, s) for s, st in zip(self.shape, self.strides) if s != 1):
            if stride != expected:
                return None
            expected *= size
        return (self.offset, self.offset + self.count)

    def moved(self, by):
        return Region(self.offset - by, self.shape, self.strides)

    def plain(self):
        out = {"offset": self.offset, "shape": list(self.shape)}
        if not self.dense():
            out["strides"] = list(self.strides)
        return out


def row_major(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return Region(0, shape, reversed(strides))


def region_of(tensor):
    return Region(tensor.storage_offset(), tensor.shape, tensor.stride())


def address(tensor):
    """Names a tensor's memory, as long as it lives."""
    return torch._C._storage_id(tensor)


class Memory:
    """A storage: what wrote it so far, and its values where they are known without building anything big."""

    __slots__ = ("alias", "count", "dtype", "events", "random", "known", "cache")

    def __init__(self, tensor, alias):
        self.alias = alias  # keeps the memory alive, so that its address names it alone
        self.dtype = tensor.dtype
        self.count = int(tensor.untyped_storage().nbytes()) // tensor.element_size()
        self.events = []
        self.random = False
        self.known = None
        self.cache = {}


class Source:
    """Elements of a memory as they were when they were read; data: a copy of them, in real mode, where they are no draws."""

    __slots__ = ("memory", "version", "region", "random", "data", "dtype")

    def __init__(self, memory, region, data):
        self.memory, self.version, self.region, self.data = memory, len(memory.events), region, data
        self.random, self.dtype = memory.random, memory.dtype


class Event:
    __slots__ = ("kind", "region", "dtype", "name", "args", "call", "source", "random", "data", "options", "overwrites")

    def __init__(self, kind, region, dtype, name=None, args=(), call=None, source=None, random=False, data=None, options=None):
        self.kind, self.region, self.dtype, self.name, self.args = kind, region, dtype, name, list(args)
        self.call, self.source, self.random, self.data, self.options = call, source, random, data, options or {}
        self.overwrites = kind not in ("change", "convert")


class Call:
    __slots__ = ("name", "count", "args", "options", "target")

    def __init__(self, name, count, args, options):
        self.name, self.count, self.args, self.options, self.target = name, count, list(args), options, None


def dtype_name(dtype):
    return str(dtype).replace("torch.", "")


def number(x):
    """A number for JSON; see the format."""
    if x is None:
        return None
    if isinstance(x, torch.Tensor):
        x = x.item()
    if isinstance(x, bool):
        return int(x)
    if isinstance(x, int):
        return x if abs(x) < 2**53 else str(x)
    x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    return x


def infer_truncated(uniform, scale, mean, low, high):
    """std of the truncated normal by inversion that has these numbers, or None."""

    def cdf(x):
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    rough = scale / math.sqrt(2.0)
    if not rough > 0:
        return None
    near = [rough, math.nextafter(rough, 0), math.nextafter(rough, math.inf)]
    near += [math.nextafter(near[1], 0), math.nextafter(near[2], math.inf)]
    for std in [float(f"{rough:.{digits}g}") for digits in range(1, 17)] + near:
        if std * math.sqrt(2.0) != scale:
            continue
        if [2 * cdf((low - mean) / std) - 1, 2 * cdf((high - mean) / std) - 1] == list(uniform):
            return std
    return None


class Recorder(TorchDispatchMode):
    """Every operation that writes a tensor, as an event of its memory; every random call, in order."""

    def __init__(self, real=False):
        super().__init__()
        self.real = real
        self.memories = {}
        self.calls = []
        self.findings = []
        self.generators = []
        self.generator_objects = []
        self.slots = []
        self.quiet = 0
        self.fake_mode = None

    # -- the state of memories

    def memory(self, tensor):
        key = address(tensor)
        found = self.memories.get(key)
        if found is None:
            # Seen for the first time: made outside of all calls (from data, or before the recording began).
            found = self.fresh(tensor)
            if not isinstance(tensor, FakeTensor) and tensor.numel() > 0:
                self.data(found, Region(0, (found.count,), (1,)), tensor)
        return found

    def fresh(self, tensor):
        self.quiet += 1
        try:
            with torch.no_grad():
                if isinstance(tensor, FakeTensor):
                    alias = tensor.detach()
                else:
                    with _disable_current_modes():
                        alias = tensor.detach()
        finally:
            self.quiet -= 1
        found = self.memories[address(tensor)] = Memory(tensor, alias)
        return found

    def data(self, memory, region, tensor):
        with _disable_current_modes(), torch.no_grad():
            values = tensor.detach().as_strided((memory.count,), (1,), 0).clone()
            if memory.count <= FOLLOWED:
                memory.known = values.clone()
        self.table(memory, region, "data", False, values)

    def table(self, memory, region, operation, random, values=None):
        """An event of an operation that is not described; one number everywhere is a fill."""
        if values is not None and not random and not values.is_complex() and values.numel() > 0:
            with _disable_current_modes():
                flat = values.reshape(-1)
                same = bool((flat == flat[0]).all()) and (flat[0] != 0 or not torch.signbit(flat).any())
                if same:
                    memory.events.append(Event("fill", region, memory.dtype, args=[flat[0].item()]))
                    return
        keep = self.real or operation == "data"
        memory.events.append(Event("table", region, memory.dtype, name=operation, random=random, data=values if keep else None))

    def follow(self, memory, tensor):
        """The tensor's known values, or None."""
        if memory.known is None or tensor.dtype != memory.dtype:
            return None
        return memory.known.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())

    def values_of(self, tensor):
        """A copy of the values of a tensor that is no draw, in real mode or where they are followed; else None."""
        memory = self.memory(tensor)
        if memory.random:
            return None
        with _disable_current_modes(), torch.no_grad():
            if self.real and not isinstance(tensor, FakeTensor):
                return tensor.detach().clone(memory_format=torch.contiguous_format)
            known = self.follow(memory, tensor)
            return None if known is None else known.clone(memory_format=torch.contiguous_format)

    def source(self, tensor, shape=None):
        memory = self.memory(tensor)
        region = region_of(tensor)
        if shape is not None and tuple(shape) != region.shape:
            extra = len(shape) - len(region.shape)
            sizes, strides = (1,) * extra + region.shape, (0,) * extra + region.strides
            region = Region(region.offset, shape, [0 if s == 1 and n != 1 else st for s, st, n in zip(sizes, strides, shape)])
        if tensor.dtype != memory.dtype:
            return None
        data = None
        if not memory.random and self.real:
            data = self.values_of(tensor)
            data = data.expand(shape).contiguous() if shape is not None else data
        return Source(memory, region, data)

    # -- random calls

    def find(self, kind, message, **more):
        finding = {"kind": kind, "message": message, **more}
        if finding not in self.findings:
            self.findings.append(finding)

    def draw(self, name, tensor, args, generator=None, **options):
        memory = self.memory(tensor)
        region = region_of(tensor)
        if region.count == 0:
            return
        if tensor.device.type != "cpu":
            self.find("other-device", f"{name} on {tensor.device}{building()}: its values are not those of torch's CPU generator")
            return self.write(memory, tensor, f"{name} on {tensor.device.type}", True)
        if tensor.dtype != torch.float32:
            options["dtype"] = dtype_name(tensor.dtype)
        if not region.dense():
            options.update(shape=list(region.shape), strides=list(region.strides))
        if own(generator):
            options["generator"] = self.own_generator(generator)
        call = Call(name, region.count, args, options)
        self.calls.append(call)
        if tensor.dtype != memory.dtype:
            self.write(memory, tensor, f"{name} on another dtype", True)
            return
        memory.known = None
        memory.random = True
        memory.events.append(Event("draw", region, memory.dtype, call=call, random=True))

    def own_generator(self, generator):
        for i, (other, state) in enumerate(self.generator_objects):
            if other is generator:
                with _disable_current_modes():
                    changed = not self.real and not torch.equal(state, generator.get_state())
                if changed:
                    self.generators[i]["seed"] = None
                    self.find(
                        "own-generator", f"a generator given explicitly was changed between two calls{building()}: it cannot be followed"
                    )
                return i
        seed = generator.initial_seed()
        with _disable_current_modes():
            state = generator.get_state()
            used = not torch.equal(torch.Generator().manual_seed(seed).get_state(), state)
        self.generator_objects.append((generator, state))
        self.generators.append({"seed": None if used else number(seed)})
        if used:
            self.find("own-generator", f"a generator with seed {seed} had been used before{building()}: it cannot be followed")
        else:
            self.find(
                "own-generator", f"draws from a generator of its own, with seed {seed}{building()}: torch.manual_seed does not change them"
            )
        return len(self.generators) - 1

    def note(self, name, *args):
        self.calls.append(Call(name, 0, [number(a) for a in args], {}))

    # -- dispatch

    def __torch_dispatch__(self, func, types_, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func.namespace == "prim" or self.quiet:
            return func(*args, **kwargs)
        name = func._schema.name.split("::")[-1]
        inputs = [a for a in flat((args, kwargs)) if isinstance(a, torch.Tensor)]
        if any(t.device.type == "meta" or t.layout is not torch.strided for t in inputs):
            return func(*args, **kwargs)
        memories = [self.memory(t) for t in inputs]
        keys = {address(t) for t in inputs}
        random_call = name in RANDOM_IN_PLACE or name in RANDOM_FACTORIES or name in RANDOM_UNKNOWN or name in ("bernoulli_", "random_")
        if own(kwargs.get("generator")):
            self.own_generator(kwargs["generator"])
        with torch.no_grad():
            before = self.before(func, name, args, kwargs)
        if name in ("_local_scalar_dense", "item", "equal", "is_nonzero", "nonzero", "_unique2", "masked_select", "unique_dim", "allclose"):
            if any(m.random for m in memories):
                self.depends(func)
        out = self.run(func, name, args, kwargs, inputs, memories, random_call)
        outputs = [t for t in flat(out) if isinstance(t, torch.Tensor)]
        if any(t.device.type == "meta" or t.layout is not torch.strided for t in outputs):
            return out
        mutated = [] if name in VIEWS_IN_PLACE else written_arguments(func, args, kwargs)
        with torch.no_grad():
            real_outputs = self.known_outputs
            self.known_outputs = None
            if mutated:
                for tensor in mutated:
                    self.written(func, name, tensor, args, kwargs, before)
            for i, tensor in enumerate(outputs):
                if address(tensor) in keys and name != "lift_fresh":
                    continue
                memory = self.fresh(tensor)
                if real_outputs is not None and i < len(real_outputs):
                    memory.known = self.kept(memory, tensor, real_outputs[i])
                if memory.count:
                    self.made(func, name, tensor, memory, args, kwargs, before)
        return out

    known_outputs = None

    def depends(self, func):
        where = building()
        message = f"{func} reads values that were drawn{where}: what follows depends on the seed, and no recording can say it"
        if not self.real:
            raise RecordingError(
                f"{message}. Make the function that does it known to record.py, or change it to torch.nn.init.trunc_normal_."
            )
        self.find("depends-on-values", message, operation=str(func))

    def before(self, func, name, args, kwargs):
        """What the operation reads, before it may change it."""
        operand = None
        base = name.rstrip("_")
        if base in BINARY or base in ("copy", "div") or name in ("rsub",):
            operand = args[1] if len(args) > 1 else None
        if isinstance(operand, torch.Tensor):
            return operand
        return None

    def run(self, func, name, args, kwargs, inputs, memories, random_call):
        """The operation; also on known values, so that a later .item() has an answer."""
        self.known_outputs = None
        if self.real:
            return func(*args, **kwargs)
        changed = written_arguments(func, args, kwargs)
        known = not random_call and all(m.known is not None and t.dtype == m.dtype for t, m in zip(inputs, memories))
        given = None
        if known:  # views of the values, before the operation may change what its arguments are views of

            def value(a):
                return self.follow(self.memory(a), a) if isinstance(a, torch.Tensor) else a

            with _disable_current_modes():
                given = (tree(value, args), tree(value, kwargs))
        failure, out = None, None
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            if not known or changed:
                raise self.without_values(func, error) from error
            failure = error
        made = [t for t in flat(out) if isinstance(t, torch.Tensor)]
        small = all(t.numel() <= FOLLOWED for t in made)
        result = None
        if name in UNWRITTEN:
            if failure is None and made and made[0].numel() <= FOLLOWED // 16:
                self.known_outputs = [None]
        elif known and small:
            try:
                with _disable_current_modes(), torch.no_grad():
                    result = func(*given[0], **given[1])
                    if not changed:
                        result = tree(lambda t: t.clone() if name == "lift_fresh" and isinstance(t, torch.Tensor) else t, result)
            except Exception:
                known = False
        else:
            known = False
        if not known:
            for tensor in changed:
                self.memory(tensor).known = None
        if failure is not None:
            if result is None:
                raise self.without_values(func, failure) from failure
            self.known_outputs = [t for t in flat(result) if isinstance(t, torch.Tensor)]
            return tree(lambda a: self.fake_mode.from_tensor(a) if isinstance(a, torch.Tensor) else a, result)
        if result is not None:
            self.known_outputs = [t for t in flat(result) if isinstance(t, torch.Tensor)]
        return out

    def without_values(self, func, error):
        if isinstance(error, DataDependentOutputException):
            return RecordingError(f"{func} needs values that are not there{building()}. Build the model for real: --values FILE.")
        return error

    def kept(self, memory, tensor, values):
        """Known values, laid out as the tensor's memory is; values None: nothing is written there yet."""
        with _disable_current_modes(), torch.no_grad():
            if values is None:
                return torch.zeros(memory.count, dtype=memory.dtype)
            if values.shape != tensor.shape or values.dtype != tensor.dtype:
                return None
            copy = torch.zeros(memory.count, dtype=tensor.dtype)
            copy.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).copy_(values)
            return copy

    # -- events

    def write(self, memory, tensor, operation, random):
        random = bool(random)
        region = region_of(tensor)
        values = None
        if tensor.dtype != memory.dtype:
            region = Region(0, (memory.count,), (1,))
        if self.real:
            with _disable_current_modes(), torch.no_grad():
                values = tensor.detach().clone(memory_format=torch.contiguous_format)
                if tensor.dtype != memory.dtype:
                    values = memory.alias.as_strided((memory.count,), (1,), 0).clone()
        elif memory.known is not None and not random and tensor.dtype == memory.dtype:
            with _disable_current_modes():
                values = self.follow(memory, tensor).clone(memory_format=torch.contiguous_format)
        if random:
            memory.known = None
        self.table(memory, region, operation, random, values)
        self.settle(memory, region, random)

    def settle(self, memory, region, random):
        """Whether the memory still holds draws."""
        if random:
            memory.random = True
        elif region.interval() == (0, memory.count):
            memory.random = False

    def event(self, memory, event):
        memory.events.append(event)
        if event.kind == "fill" and not self.real and memory.known is None and event.region.interval() == (0, memory.count):
            if memory.count <= FOLLOWED // 16:
                with _disable_current_modes():
                    memory.known = torch.full((memory.count,), event.args[0], dtype=memory.dtype)
        self.settle(memory, event.region, event.random if event.overwrites else (event.random or memory.random))
        if event.kind == "change" and event.name == "clamp":
            self.fold(memory)

    def fold(self, memory):
        tail = memory.events[-5:]
        if len(tail) < 5 or tail[0].kind != "draw" or tail[0].call.name != "uniform_":
            return
        draw, erfinv, mul, add, clamp = tail
        names = [e.name for e in tail[1:]]
        if names != ["erfinv", "mul", "add", "clamp"] or any(e.region != draw.region or e.source for e in tail):
            return
        if len(add.args) != 1 or None in clamp.args or not all(isinstance(x, (int, float)) for e in tail[1:] for x in e.args):
            return
        uniform = draw.call.args
        scale, mean, (low, high) = float(mul.args[0]), float(add.args[0]), map(float, clamp.args)
        std = infer_truncated(uniform, scale, mean, low, high)
        if std is None:
            return
        call = draw.call
        call.name = "trunc_normal_"
        call.options.update(method="inversion", uniform=list(uniform), scale=scale)
        call.args = [mean, std, low, high]
        del memory.events[-4:]

    def written(self, func, name, tensor, args, kwargs, operand):
        """An operation changed a tensor that there was before."""
        memory = self.memory(tensor)
        region = region_of(tensor)
        base = name[:-1] if name.endswith("_") else name
        generator = kwargs.get("generator")
        if tensor.numel() == 0:
            return
        if name in RANDOM_IN_PLACE:
            defaults = RANDOM_IN_PLACE[name]
            given = list(args[1:]) + [None] * len(defaults)
            names = {"normal_": ("mean", "std"), "uniform_": ("from", "to"), "exponential_": ("lambd",), "cauchy_": ("median", "sigma"),
                     "log_normal_": ("mean", "std"), "geometric_": ("p",)}[name]  # fmt: skip
            values = [kwargs.get(n, g) if g is None else g for n, g in zip(names, given)]
            values = [float(d) if v is None else float(v) for v, d in zip(values, defaults)]
            return self.draw(name, tensor, values, generator)
        if name == "bernoulli_" and not isinstance(args[1] if len(args) > 1 else kwargs.get("p", 0.5), torch.Tensor):
            return self.draw(name, tensor, [float(args[1] if len(args) > 1 else kwargs.get("p", 0.5))], generator)
        if name == "random_":
            given = list(args[1:])
            low, high = (None, None) if not given else ((0, given[0]) if len(given) == 1 else given)
            return self.draw(name, tensor, [number(low), number(high)], generator)
        if (
            name in RANDOM_UNKNOWN
            or name == "bernoulli_"
            or "generator" in kwargs
            or any(a.name == "generator" for a in func._schema.arguments)
        ):
            return self.unknown(func, tensor, memory)
        strange = tensor.dtype != memory.dtype or tensor.is_complex()
        others = [t for t in flat((args, kwargs)) if isinstance(t, torch.Tensor) and t is not tensor]
        random = any(self.memory(t).random for t in others)
        if strange:
            return self.write(memory, tensor, str(func), random or memory.random)
        if name == "zero_" or name == "fill_":
            value = 0 if name == "zero_" else self.scalar(args[1])
            if value is not None:
                return self.event(memory, Event("fill", region, memory.dtype, args=[value]))
        if name == "copy_":
            if self.same(operand, tensor):
                return None
            return self.copied(memory, region, operand, tensor, func)
        if name == "eye" and tensor.dim() == 2:
            return self.event(memory, Event("eye", region, memory.dtype))
        if not args or args[0] is not tensor:
            return self.write(memory, tensor, str(func), random)
        if name in ("index_put_", "index_fill_", "masked_fill_") and not random and region.dense():
            value, runs = self.runs(func, name, tensor, args, kwargs)
            if value is not None:
                for first, end in runs:
                    part = Region(region.offset + first, (end - first,), (1,))
                    self.event(memory, Event("fill", part, memory.dtype, args=[value]))
                return None
        change = self.change(base, tensor, args, kwargs, memory.random or random)
        if change is not None:
            event = Event("change", region, memory.dtype, random=memory.random or random, **change)
            return self.event(memory, event)
        return self.write(memory, tensor, str(func), random or memory.random)

    def runs(self, func, name, tensor, args, kwargs):
        """The number that an operation writes, and the intervals where; (None, None) where either is not known, or they are many."""
        value = self.scalar(args[2] if name == "index_put_" else args[-1])
        others = args[1:-1] if name != "index_put_" else args[1:2]
        accumulate = name == "index_put_" and (len(args) > 3 and args[3] or kwargs.get("accumulate"))
        known = tree(lambda t: self.values_of(t) if isinstance(t, torch.Tensor) else t, others)
        missing = any(isinstance(t, torch.Tensor) and k is None for t, k in zip(flat(others), flat(known)))
        if value is None or missing or accumulate or tensor.numel() > 16 * FOLLOWED:
            return None, None
        with _disable_current_modes():
            touched = torch.zeros(tensor.shape, dtype=torch.bool)
            func(touched, *known, torch.tensor(True) if name == "index_put_" else True)
            edges = torch.diff(touched.reshape(-1).int(), prepend=torch.zeros(1).int(), append=torch.zeros(1).int())
            starts, ends = (torch.nonzero(edges == d).reshape(-1).tolist() for d in (1, -1))
        return (value, list(zip(starts, ends))) if len(starts) <= 256 else (None, None)

    def same(self, a, b):
        return address(a) == address(b) and region_of(a) == region_of(b) and a.dtype == b.dtype

    def scalar(self, x):
        """A number, or a tensor without dimensions whose value is known."""
        if isinstance(x, (bool, int, float)):
            return x
        if isinstance(x, torch.Tensor) and x.dim() == 0 and not x.is_complex():
            values = self.values_of(x)
            if values is not None:
                with _disable_current_modes():
                    return values.item()
        return None

    def change(self, base, tensor, args, kwargs, random):
        """name, args and source of a described change of the first argument; None for others."""
        if base in UNARY or (random and base in UNARY_OF_DRAWS and not (base == "round" and kwargs)):
            return {"name": base}
        if base in BINARY and not kwargs.get("rounding_mode"):
            other = args[1] if len(args) > 1 else kwargs.get("other")
            alpha = self.scalar(kwargs.get("alpha", args[2] if len(args) > 2 else 1))
            more = [] if alpha == 1 else [alpha]
            # What is read from the memory that was written is no longer there.
            itself = isinstance(other, torch.Tensor) and address(other) == address(tensor)
            value = None if itself else self.scalar(other)
            if isinstance(value, (int, float)):
                return {"name": base, "args": [value, *more]}
            if isinstance(other, torch.Tensor) and random:
                source = self.source(other, tensor.shape if other.dim() else None)
                return None if source is None else {"name": base, "args": more, "source": source}
            return None
        if base in ("clamp", "clamp_min", "clamp_max"):
            given = list(args[1:]) + [None, None]
            low, high = kwargs.get("min", given[0]), kwargs.get("max", given[1])
            if base == "clamp_min":
                low, high = args[1], None
            if base == "clamp_max":
                low, high = None, args[1]
            bounds = [None if x is None else self.scalar(x) for x in (low, high)]
            if all((x is None) == (y is None) for x, y in zip((low, high), bounds)):
                return {"name": "clamp", "args": bounds}
            return None
        if base == "pow" and random and len(args) > 1 and isinstance(args[1], (int, float)):
            return {"name": "pow", "args": [args[1]]}
        return None

    def copied(self, memory, region, source_tensor, tensor, func):
        """The elements of one tensor, written to region."""
        value = self.scalar(source_tensor)
        if value is not None:
            return self.event(memory, Event("fill", region, memory.dtype, args=[value]))
        random = self.memory(source_tensor).random
        source = self.source(source_tensor, region.shape)
        if source is None or source_tensor.is_complex() or tensor.is_complex():
            return self.write(memory, tensor, str(func), random)
        if region.strides == source.region.strides and not region.dense() and region.interval() and source.region.interval():
            # The same order of memory on both sides: element by element as it lies there.
            region = Region(region.offset, (region.count,), (1,))
            source.region = Region(source.region.offset, (region.count,), (1,))
            source.data = None
        return self.event(memory, Event("copy", region, memory.dtype, source=source, random=random, name=str(func)))

    def unknown(self, func, tensor, memory):
        where = building()
        self.find("unknown-draw", f"{func} draws{where}, and how is not known: nothing after it can be replayed", operation=str(func))
        self.calls.append(Call("unknown", tensor.numel(), [str(func)], {}))
        self.write(memory, tensor, str(func), True)
        memory.events[-1].call = self.calls[-1]

    def made(self, func, name, tensor, memory, args, kwargs, operand):
        """An operation made a new tensor."""
        region = region_of(tensor)
        whole = Region(0, (memory.count,), (1,))
        if name in UNWRITTEN:
            return
        generator = kwargs.get("generator")
        if name in RANDOM_FACTORIES or (name == "normal" and func._overloadname == "float_float"):
            if name == "randperm":
                return self.draw(name, tensor, [], generator)
            if name in ("randint", "randint_like"):
                ints = [a for a in args if isinstance(a, int)]
                low, high = (0, ints[0]) if len(ints) == 1 else ints[:2]
                return self.draw("random_", tensor, [number(low), number(high)], generator)
            if name == "normal":
                return self.draw("normal_", tensor, [float(args[0]), float(args[1])], generator)
            return self.draw(name.replace("_like", ""), tensor, [0.0, 1.0], generator)
        if name in RANDOM_UNKNOWN:
            return self.unknown(func, tensor, memory)
        inputs = [t for t in flat((args, kwargs)) if isinstance(t, torch.Tensor)]
        random = any(self.memory(t).random for t in inputs)
        if tensor.is_complex():
            return self.write(memory, tensor, str(func), random)
        if name == "lift_fresh" or name == "lift_fresh_copy":
            values = self.values_of(args[0])
            return self.table(memory, whole, "data", False, values)
        fills = {"zeros": 0, "ones": 1, "zeros_like": 0, "ones_like": 1, "new_zeros": 0, "new_ones": 1}
        value = fills.get(name)
        if name in ("full", "full_like", "new_full"):
            value = self.scalar(args[2] if name == "new_full" else args[1])
        if name == "scalar_tensor":
            value = self.scalar(args[0])
        if value is not None:
            return self.event(memory, Event("fill", whole, memory.dtype, args=[value]))
        if name == "eye":
            return self.event(memory, Event("eye", region, memory.dtype))
        unpadded = name == "constant_pad_nd" and not any(args[1])
        if (name in COPIES or unpadded) and args[0].numel() == tensor.numel():
            source = args[0]
            if source.shape != tensor.shape:
                source = None if not source.is_contiguous() else self.viewed(source, tensor.shape)
            if source is not None and source.shape == tensor.shape:
                return self.copied(memory, region, source, tensor, func)
        if name == "constant_pad_nd" and region.dense() and all(n >= 0 for n in args[1]):
            value = self.scalar(args[2] if len(args) > 2 else kwargs.get("value", 0))
            pads = list(args[1])
            inside = tensor
            for i in range(len(pads) // 2):
                dim = args[0].dim() - 1 - i
                inside = self.viewed_by(lambda: inside.narrow(dim, pads[2 * i], args[0].shape[dim]))
            if value is not None:
                self.event(memory, Event("fill", whole, memory.dtype, args=[value]))
                return self.copied(memory, region_of(inside), args[0], inside, func)
        if name in ("cat", "stack"):
            dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
            at = 0
            for t in args[0]:
                if name == "stack":
                    part = self.viewed_by(lambda: tensor.select(dim, at))
                    at += 1
                elif t.dim() == 1 and t.numel() == 0:
                    continue
                else:
                    part = self.viewed_by(lambda: tensor.narrow(dim, at, t.shape[dim]))
                    at += t.shape[dim]
                if t.numel():
                    self.copied(memory, region_of(part), t, part, func)
            return None
        if name == "repeat" and tensor.is_contiguous():
            source = args[0]
            times = list(args[1])
            sizes = [1] * (len(times) - source.dim()) + list(source.shape)
            split = self.viewed_by(lambda: tensor.view([x for pair in zip(times, sizes) for x in pair]))
            spread = self.viewed_by(lambda: source.view_as(source).reshape(sizes) if source.is_contiguous() else None)
            if spread is not None:
                spread = self.viewed_by(lambda: spread.reshape([x for s in sizes for x in (1, s)]))
                return self.copied(memory, region_of(split), spread, split, func)
        if name in ("norm", "linalg_vector_norm") and random and region.dense():
            change = self.norm(func, args, kwargs, tensor)
            if change is not None:
                return self.event(memory, Event("norm", region, memory.dtype, name="norm", random=True, **change))
        if args and isinstance(args[0], torch.Tensor):
            first = args[0]
            rest = args
            if name in ("mul", "add") and isinstance(operand, torch.Tensor) and first.dim() == 0 and self.scalar(first) is not None:
                if name == "mul" or not (kwargs.get("alpha", 1) != 1):
                    first, rest = operand, (operand, first)
            changes = None
            if name == "rsub" and random and kwargs.get("alpha", 1) == 1 and len(args) == 2:
                value = self.scalar(args[1])
                if value is not None:
                    changes = [{"name": "neg"}, {"name": "add", "args": [value]}]
            else:
                change = self.change(name, tensor, rest, kwargs, random)
                changes = None if change is None else [change]
            if (
                changes is not None
                and broadcasts(first, tensor)
                and not (first.dtype != tensor.dtype and first.is_floating_point() and not random)
            ):
                # Its events: a copy of the first operand in the dtype of the result, then the change.
                version = len(memory.events)
                self.copied(memory, region if region.interval() else region, first, tensor, func)
                if memory.events[version:] and memory.events[-1].kind in ("copy", "fill"):
                    for change in changes:
                        self.event(memory, Event("change", region, memory.dtype, random=random, **change))
                    self.settle(memory, region, random)
                    return None
                del memory.events[version:]
        return self.write(memory, tensor, str(func), random)

    def viewed_by(self, make):
        self.quiet += 1
        try:
            return make()
        finally:
            self.quiet -= 1

    def viewed(self, tensor, shape):
        return self.viewed_by(lambda: tensor.view(shape))

    def norm(self, func, args, kwargs, tensor):
        source = self.source(args[0])
        p = args[1] if len(args) > 1 else 2
        dims = args[2] if len(args) > 2 else None
        keep = args[3] if len(args) > 3 else kwargs.get("keepdim", False)
        if source is None or kwargs.get("dtype") is not None or not isinstance(p, (int, float)) or dims is None:
            return None
        dims = [dims] if isinstance(dims, int) else list(dims)
        dims = [d % args[0].dim() for d in dims] or list(range(args[0].dim()))
        options = {"dims": dims}
        if keep:
            options["keepdim"] = True
        return {"args": [p], "source": source, "options": options}

    # -- functions known as one call

    def swap_tensors(self, original, first, second):
        """Module.to() exchanges tensors without memory; PyTorch refuses that while its own modes refer to them."""
        if not isinstance(first, FakeTensor):
            return original(first, second)
        with torch.no_grad():
            first.data = second.data

    def deepcopy(self, original, tensor, memo):
        """copy.deepcopy: the whole memory, once, as PyTorch does (which corrupts its heap when there is no memory)."""
        if type(tensor) not in (torch.Tensor, FakeTensor) or tensor.is_meta or tensor.layout is not torch.strided or self.quiet:
            return original(tensor, memo)
        if id(tensor) in memo:
            return memo[id(tensor)]
        if not tensor.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.")
        key = ("webgpu-init", address(tensor))
        with torch.no_grad():
            if key not in memo:
                count = self.memory(tensor).count
                memo[key] = tensor.detach().as_strided((count,), (1,), 0).clone()
            copy = memo[key].as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
        memo[id(tensor)] = copy.requires_grad_(tensor.requires_grad)
        return copy

    def trunc_normal(self, original, tensor, mean, std, a, b, generator=None):
        if tensor.is_meta or self.quiet:
            return original(tensor, mean, std, a, b, generator)
        self.once(lambda: original(tensor, mean, std, a, b, generator), generator)
        self.draw("trunc_normal_", tensor, [float(mean), float(std), float(a), float(b)], generator)
        return tensor

    def once(self, original, generator):
        if own(generator):
            self.own_generator(generator)
        if self.real:
            self.quiet += 1
            try:
                original()
            finally:
                self.quiet -= 1

    def orthogonal(self, original, tensor, gain=1, generator=None):
        if tensor.is_meta or self.quiet or tensor.ndimension() < 2 or tensor.numel() == 0:
            return original(tensor, gain, generator)
        self.once(lambda: original(tensor, gain, generator), generator)
        rows = tensor.size(0)
        self.draw("orthogonal_", tensor, [float(gain)], generator, rows=rows, columns=tensor.numel() // rows)
        return tensor

    def sparse(self, original, tensor, sparsity, std=0.01, generator=None):
        if tensor.is_meta or self.quiet or tensor.ndimension() != 2 or tensor.numel() == 0:
            return original(tensor, sparsity, std, generator)
        self.once(lambda: original(tensor, sparsity, std, generator), generator)
        rows, columns = tensor.shape
        self.draw("sparse_", tensor, [float(sparsity), float(std)], generator, rows=rows, columns=columns)
        return tensor

    def manual_seed(self, original, seed):
        if self.quiet:
            return original(seed)
        self.find("manual-seed", f"torch.manual_seed({int(seed)}){building()}: what is drawn after it is the same with every seed")
        self.note("manual_seed", int(seed))
        return original(seed)

    def seed(self, original):
        self.find("manual-seed", f"torch.seed(){building()}: what is drawn after it is different every time")
        self.calls.append(Call("unknown", 0, ["torch.seed"], {}))
        return original()

    def get_state(self, original):
        with _disable_current_modes():
            state = original()
        slot = len(self.slots)
        self.slots.append(state)
        self.note("get_state", slot)
        return state

    def set_state(self, original, state):
        for slot, kept in enumerate(self.slots):
            if kept is state:
                self.note("set_state", slot)
                break
        else:
            self.find("generator-state", f"torch.set_rng_state with a state from elsewhere{building()}: nothing after it can be replayed")
            self.calls.append(Call("unknown", 0, ["torch.set_rng_state"], {}))
        with _disable_current_modes():
            return original(state)


def flat(x):
    if isinstance(x, (list, tuple)):
        for y in x:
            yield from flat(y)
    elif isinstance(x, dict):
        for y in x.values():
            yield from flat(y)
    else:
        yield x


def tree(f, x):
    if isinstance(x, (list, tuple)):
        return type(x)(tree(f, y) for y in x) if not hasattr(x, "_fields") else type(x)(*(tree(f, y) for y in x))
    if isinstance(x, dict):
        return {k: tree(f, y) for k, y in x.items()}
    return f(x)


def own(generator):
    return generator is not None and generator is not torch.default_generator


def broadcasts(small, big):
    if small.dim() > big.dim():
        return False
    return all(s in (1, b) for s, b in zip(reversed(small.shape), reversed(big.shape)))


def written_arguments(func, args, kwargs):
    out = []
    for i, a in enumerate(func._schema.arguments):
        if a.alias_info is not None and a.alias_info.is_write:
            value = args[i] if i < len(args) and not a.kwarg_only else kwargs.get(a.name)
            out += [t for t in flat(value) if isinstance(t, torch.Tensor)]
    return out


def building():
    """' in Class (file:line)': the module that is being built, from the stack."""
    frame = sys._getframe(1)
    here = frame.f_code.co_filename
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, torch.nn.Module) and frame.f_code.co_filename != here:
            place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
            return f" in {class_name(owner)} ({place})"
        frame = frame.f_back
    return ""


def last_module(trace):
    """The class of the module that an error came from."""
    owner = "a module"
    while trace is not None:
        found = trace.tb_frame.f_locals.get("self")
        if isinstance(found, torch.nn.Module):
            owner = class_name(found)
        trace = trace.tb_next
    return owner


def class_name(x):
    cls = type(x)
    return f"{cls.__module__}.{cls.__qualname__}"


# -- functions that are caught as one call


@contextlib.contextmanager
def swapped(function, hook):
    """Every reference to a function of a module runs hook(original, ...) instead: its code is exchanged."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if not isinstance(function, types.FunctionType) or function.__code__.co_freevars:
        raise RecordingError(f"{function} cannot be followed in torch {torch.__version__}")
    original = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    original.__kwdefaults__ = function.__kwdefaults__
    key = f"_webgpu_init_{function.__name__}"
    scope = {}
    exec(f"def {function.__name__}(*args, **kwargs): return {key}(*args, **kwargs)", scope)
    kept = function.__code__
    function.__globals__[key] = lambda *args, **kwargs: hook(original, *args, **kwargs)
    function.__code__ = scope[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = kept
        del function.__globals__[key]


@contextlib.contextmanager
def watching(recorder):
    init, random = torch.nn.init, torch.random
    with contextlib.ExitStack() as stack:
        truncated = init._no_grad_trunc_normal_
        if "erfinv_" not in truncated.__code__.co_names:  # by rejection; the older one, by inversion, is folded
            stack.enter_context(swapped(truncated, recorder.trunc_normal))
        if not recorder.real:
            stack.enter_context(swapped(torch.utils.swap_tensors, recorder.swap_tensors))
        stack.enter_context(swapped(torch.Tensor.__deepcopy__, recorder.deepcopy))
        stack.enter_context(swapped(init.orthogonal_, recorder.orthogonal))
        stack.enter_context(swapped(init.sparse_, recorder.sparse))
        stack.enter_context(swapped(random.manual_seed, recorder.manual_seed))
        stack.enter_context(swapped(random.seed, recorder.seed))
        stack.enter_context(swapped(random.get_rng_state, recorder.get_state))
        stack.enter_context(swapped(random.set_rng_state, recorder.set_state))
        yield


# -- from events to writes


class Writer:
    """The writes of memories, in the format's words."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.calls = {id(c): i for i, c in enumerate(recorder.calls)}
        self.values = []
        self.named = {}
        self.tables = []

    def live(self, memory, version):
        """Events that are not covered by later ones, and the union of what was overwritten."""
        covered, kept = [], []
        for event in reversed(memory.events[:version]):
            extent = event.region.interval()
            if extent is None:
                first = event.region.offset
                last = first + sum((s - 1) * st for s, st in zip(event.region.shape, event.region.strides))
                extent = (first, last + 1)
                exact = False
            else:
                exact = True
            if any(a <= extent[0] and extent[1] <= b for a, b in covered):
                continue
            kept.append(event)
            if event.overwrites and exact:
                covered = merged(covered + [extent])
                if covered[0][0] <= 0 and covered[0][1] >= memory.count:
                    break
        kept.reverse()
        return kept

    def random(self, events):
        return any(e.random or (e.source is not None and e.source.random) for e in events)

    def described(self, memory, version):
        """Whether every event is one of the format, down to the sources."""
        key = ("described", version)
        if key not in memory.cache:
            memory.cache[key] = all(
                e.kind in ("draw", "fill", "eye", "change")
                and (e.source is None)
                or (
                    e.kind == "copy"
                    and self.described(e.source.memory, e.source.version)
                    and self.live(e.source.memory, e.source.version) != []
                )
                for e in self.live(memory, version)
            )
        return memory.cache[key]

    def operations(self, memory, version, found=None):
        found = [] if found is None else found
        for e in self.live(memory, version):
            if e.source is not None:
                self.operations(e.source.memory, e.source.version, found)
            label = e.name if e.kind == "table" else {"change": f"aten.{e.name}", "copy": None}.get(e.kind)
            if label is not None and label not in found:
                found.append(label)
        return found[:12]

    def writes(self, memory, version, data=None, label=None):
        """Writes on the flat memory: a list of dicts op, args, region, dtype, options."""
        key = ("writes", version)
        if key in memory.cache:
            return memory.cache[key]
        events = self.live(memory, version)
        whole = Region(0, (memory.count,), (1,))
        out = []
        if events and not self.random(events) and not self.described(memory, version):
            out.append(self.table_write(whole, memory.dtype, self.operations(memory, version), False, data))
        else:
            for e in events:
                out += self.event_writes(e, memory)
        memory.cache[key] = out
        return out

    def table_write(self, region, dtype, operations, random, data):
        options = {"operations": operations}
        if random:
            options["random"] = True
        return {"op": "table", "args": [], "region": region, "dtype": dtype, "options": options, "data": data}

    def write(self, op, args, region, dtype, **options):
        return {"op": op, "args": args, "region": region, "dtype": dtype, "options": options, "data": None}

    def event_writes(self, e, memory):
        if e.kind == "draw":
            return [self.write(e.call.name, [number(a) for a in e.call.args], e.region, e.dtype, call=self.calls[id(e.call)])]
        if e.kind == "fill":
            return [self.write("fill_", [number(e.args[0])], e.region, e.dtype)]
        if e.kind == "eye":
            return [self.write("eye_", [], e.region, e.dtype)]
        if e.kind == "table":
            out = self.table_write(e.region, e.dtype, [e.name], e.random, e.data)
            if e.call is not None:
                out["call"] = self.calls[id(e.call)]
            return [out]
        if e.kind in ("change", "norm"):
            options = {}
            if e.source is not None:
                options = self.reading(e.source)
            if e.source is not None and (e.kind == "norm" or not e.source.region.shape):  # its dimensions matter
                options.setdefault("source", e.source.region.plain())
            return [self.write(f"{e.name}_", [number(a) for a in e.args], e.region, e.dtype, **options, **e.options)]
        return self.copy_writes(e, memory)

    def copy_writes(self, e, memory):
        source = e.source
        inner = source.memory
        whole = e.region.interval() == (0, memory.count) and e.region.dense()
        if not self.live(inner, source.version):
            return [self.table_write(e.region, e.dtype, ["uninitialised memory"], False, source.data)]
        if not source.random and not self.described(inner, source.version):
            data = source.data if source.data is None else source.data.to(e.dtype)
            return [self.table_write(e.region, e.dtype, self.operations(inner, source.version), False, data)]
        writes = self.writes(inner, source.version)
        flat_source = source.region.interval() == (0, inner.count) and source.region.dense()
        simple = all(
            w["region"].interval() == (0, inner.count) and w["region"].dense() and w["op"] not in ("eye_", "norm_") for w in writes
        )
        alone = all("from" not in w["options"] for w in writes)
        same = all(w["dtype"] == e.dtype for w in writes)
        if flat_source and simple and (whole or (same and alone)):
            out = [{**w, "region": e.region, "options": dict(w["options"])} for w in writes]
            if inner.dtype != memory.dtype:
                out.append(self.write("to", [], e.region, memory.dtype))
            return out
        if flat_source and whole and inner.count == memory.count:
            # Parts keep their places where the whole is copied.
            out = [dict(w) for w in writes]
            if inner.dtype != memory.dtype:
                out.append(self.write("to", [], e.region, memory.dtype))
            return out
        constant = len(writes) == 1 and writes[0]["op"] == "fill_" and simple
        if constant and same:
            return [{**writes[0], "region": e.region}]
        return [self.write("copy_", [], e.region, e.dtype, **self.reading(source))]

    def reading(self, source):
        """from and source of a value, which is made if need be."""
        memory = source.memory
        live = self.live(memory, source.version)
        if not source.random and (not live or not self.described(memory, source.version)):
            key = (id(source), "table")
            if key not in self.named:
                shape = list(source.region.shape)
                operations = self.operations(memory, source.version) or ["uninitialised memory"]
                write = self.table_write(row_major(shape), memory.dtype, operations, False, source.data)
                self.named[key] = self.value(shape, memory, [write])
            return {"from": self.named[key]}
        key = (id(memory), source.version)
        if key not in self.named:
            self.named[key] = self.value([memory.count], memory, self.writes(memory, source.version))
        options = {"from": self.named[key]}
        if not (source.region.interval() == (0, memory.count) and source.region.dense()):
            options["source"] = source.region.plain()
        return options

    def value(self, shape, memory, writes):
        name = f"%{len(self.values)}"
        entry = {"name": name, "shape": shape, "dtype": dtype_name(memory.dtype), "raw": writes}
        self.values.append(entry)
        return name

    def plain(self, writes, base, shape, dtype, name):
        """The writes of a tensor that is `shape` from element `base` on, dense."""
        count = math.prod(shape)
        out = []
        for w in writes:
            region = w["region"].moved(base)
            options = {}
            if not (region.interval() == (0, count) and region.dense()):
                options["part"] = region.plain()
            elif w["op"] == "eye_" and list(region.shape) != list(shape):
                options["part"] = region.plain()
            if w["dtype"] != dtype:
                options["dtype"] = dtype_name(w["dtype"])
            if w["op"] == "to":
                options["dtype"] = dtype_name(w["dtype"])
            options.update(w["options"])
            if w["op"] == "table" and w["data"] is not None and self.recorder.real:
                data = w["data"]
                label = name if "part" not in options else f"{name}#{len(out)}"
                data = data.reshape(options["part"]["shape"] if "part" in options else shape)
                self.tables.append((label, data.contiguous()))
                options["data"] = label
            out.append([w["op"], *w["args"], *([options] if options else [])])
        return out

    def random_tables(self, writes, found):
        """Operations of tables that depend on draws, directly or through values."""
        for w in writes:
            if w["op"] == "table" and w["options"].get("random"):
                found.add(", ".join(w["options"]["operations"]))
            if "from" in w["options"]:
                self.random_tables(self.values[int(w["options"]["from"][1:])]["raw"], found)
        return found

    def used(self, writes, seen):
        for w in writes:
            if "call" in w["options"]:
                seen.add(w["options"]["call"])
            if "call" in w:
                seen.add(w["call"])
            if "from" in w["options"]:
                self.used(self.values[int(w["options"]["from"][1:])]["raw"], seen)


def merged(intervals):
    out = []
    for a, b in sorted(intervals):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def tensors_of(model):
    """(name, tensor, module, buffer, persistent) of every parameter and buffer, other names of shared ones included."""
    out = []
    modules = dict(model.named_modules(remove_duplicate=False))
    rows = [(n, p, False, True) for n, p in model.named_parameters(remove_duplicate=False)]
    for name, b in model.named_buffers(remove_duplicate=False):
        owner, _, leaf = name.rpartition(".")
        rows.append((name, b, True, leaf not in modules[owner]._non_persistent_buffers_set))
    for name, t, buffer, persistent in rows:
        out.append((name, t, class_name(modules[name.rpartition(".")[0]]), buffer, persistent))
    return out


def assemble(recorder, model, source):
    writer = Writer(recorder)
    parameters, first, findings = [], {}, recorder.findings
    for name, tensor, module, buffer, persistent in tensors_of(model):
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise RecordingError(f"{name}: a lazy module has no shape until a batch has gone through it. Give its sizes.")
        entry = {"name": name, "shape": list(tensor.shape), "dtype": dtype_name(tensor.dtype), "module": module}
        if buffer:
            entry["buffer"] = True
            if not persistent:
                entry["persistent"] = False
        parameters.append(entry)
        if tensor.device.type == "meta" or tensor.layout is not torch.strided:
            findings.append(
                {
                    "kind": "uninitialised",
                    "message": f"{name} is on {tensor.device} ({tensor.layout}): nothing is known of it",
                    "parameter": name,
                }
            )
            entry["writes"] = []
            continue
        region = region_of(tensor)
        memory = recorder.memory(tensor)
        place = (id(memory), region.offset, region.shape, region.strides, tensor.dtype)
        if place in first and region.count:
            entry["tiedTo"] = first[place]
            continue
        first[place] = name
        version = len(memory.events)
        seen = set()
        data = None
        if recorder.real and not memory.random:
            data = memory.alias.as_strided((memory.count,), (1,), 0).clone()
        if tensor.dtype != memory.dtype:
            value = tensor.detach().clone() if recorder.real else None
            raw = [writer.table_write(row_major(region.shape), tensor.dtype, ["view.dtype"], memory.random, value)]
            base = 0
        elif region.dense() and region.interval() == (0, memory.count):
            raw, base = writer.writes(memory, version, data), 0
        else:
            value = Source(memory, region, None if data is None else tensor.detach().clone(memory_format=torch.contiguous_format))
            held = row_major(region.shape)
            if not writer.live(memory, version):
                raw = []
            elif not memory.random and not writer.described(memory, version):
                raw = [writer.table_write(held, tensor.dtype, writer.operations(memory, version), False, value.data)]
            else:
                raw = [writer.write("copy_", [], held, tensor.dtype, **writer.reading(value))]
            base = 0
        entry["writes"] = writer.plain(raw, base, list(region.shape), tensor.dtype, name)
        writer.used(raw, seen)
        for index in seen:
            call = recorder.calls[index]
            if call.target is None:
                call.target = name
        if region.count and not raw:
            findings.append(
                {"kind": "uninitialised", "message": f"{name} is never written: PyTorch leaves what the memory held", "parameter": name}
            )
        for operations in sorted(writer.random_tables(raw, set())):
            if operations:
                findings.append({"kind": "random-table", "message": f"{name} comes from draws by {operations}, which is not described: it has to be taken from PyTorch", "parameter": name, "operation": operations})  # fmt: skip
    values = [
        {
            "name": v["name"],
            "shape": v["shape"],
            "dtype": v["dtype"],
            "writes": writer.plain(v["raw"], 0, v["shape"], getattr(torch, v["dtype"]), v["name"]),
        }
        for v in writer.values
    ]
    program = [
        [c.name, c.target, c.count, *(a if isinstance(a, str) else number(a) for a in c.args), *([c.options] if c.options else [])]
        for c in recorder.calls
    ]
    out = {"format": FORMAT, "version": VERSION, "source": source, "parameters": parameters}
    if values:
        out["values"] = values
    if recorder.generators:
        out["generators"] = recorder.generators
    out["program"] = program
    out["findings"] = findings
    return out, writer.tables


# -- the call

SAFETENSORS = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16",
               "int8": "I8", "uint8": "U8", "bool": "BOOL", "complex64": "C64"}  # fmt: skip


def write_safetensors(path, tensors):
    header, at, chunks = {}, 0, []
    for name, tensor in tensors:
        data = bytes(tensor.detach().reshape(-1).contiguous().view(torch.uint8).tolist()) if tensor.numel() < 16 else raw_bytes(tensor)
        header[name] = {"dtype": SAFETENSORS[dtype_name(tensor.dtype)], "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
        chunks.append(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for data in chunks:
            f.write(data)


def raw_bytes(tensor):
    """The little-endian bytes of a tensor, without numpy."""
    import ctypes

    flat_tensor = tensor.detach().contiguous().reshape(-1)
    return ctypes.string_at(flat_tensor.data_ptr(), flat_tensor.numel() * flat_tensor.element_size())


def versions(model):
    import importlib.metadata

    out = {"torch": str(torch.__version__), "python": platform.python_version()}
    packages = {type(m).__module__.split(".")[0] for m in model.modules()} - {"torch", "__main__", "builtins"}
    for name in sorted(packages):
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return out


def state_of(numpy):
    if numpy is None:
        return None
    name, words, *rest = numpy.random.get_state()
    return (name, words.tobytes(), *rest)


def record(make, values=None, seed=0, source=None):
    """The recording of `make()`, which returns a torch.nn.Module: a dict that json.dump takes.

    values: a file; the model is then built for real, with torch.manual_seed(seed), and the tables are written there.
    source: further entries of the recording's `source`.
    """
    import random

    recorder = Recorder(real=values is not None)
    python_state = random.getstate()
    numpy = sys.modules.get("numpy")
    numpy_state = state_of(numpy)
    torch_state = torch.get_rng_state()
    try:
        if recorder.real:
            torch.manual_seed(seed)
        with warnings.catch_warnings(), watching(recorder):
            warnings.simplefilter("ignore")
            if recorder.real:
                with recorder:
                    model = make()
            else:
                with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                    recorder.fake_mode = mode
                    with recorder:
                        model = make()
        if not isinstance(model, torch.nn.Module):
            # A FakeTensor is a Tensor to whoever calls this.
            found = type(model).__name__.removeprefix("Fake")
            raise RecordingError(f"the callable returned {found}, not a torch.nn.Module")
        seeded = any(c.name in ("manual_seed", "set_state") or c.args[:1] == ["torch.seed"] for c in recorder.calls)
        if not recorder.real and not seeded and not torch.equal(torch_state, torch.get_rng_state()):
            recorder.find("generator-state", "torch's generator was moved by something that is not recorded: the program is not complete")
        if random.getstate() != python_state:
            recorder.find(
                "python-random",
                "Python's random was used: values or shapes that depend on it are those of this run, not of torch.manual_seed",
            )
        if state_of(numpy) != numpy_state:
            recorder.find(
                "numpy-random", "numpy.random was used: values or shapes that depend on it are those of this run, not of torch.manual_seed"
            )
    except RuntimeError as error:
        if "UninitializedParameter" not in str(error) and "UninitializedBuffer" not in str(error):
            raise
        owner = last_module(error.__traceback__)
        raise RecordingError(f"{owner}: a lazy module has no shape until a batch has gone through it. Give its sizes.") from error
    finally:
        torch.set_rng_state(torch_state)
    described = {**versions(model), "class": class_name(model), **(source or {})}
    if values is not None:
        described["values"] = {"file": os.path.basename(values), "seed": seed}
    recording, tables = assemble(recorder, model, described)
    if values is not None:
        write_safetensors(values, tables)
    return recording


@contextlib.contextmanager
def lenient_torchvision():
    """A torchvision whose compiled operators do not load can be imported all the same: building models needs none of them."""
    real = torch.library.register_fake

    def register_fake(name, *args, **kwargs):
        if isinstance(name, str) and name.startswith("torchvision::"):
            try:
                namespace, _, operator = name.partition("::")
                getattr(getattr(torch.ops, namespace), operator)
            except (AttributeError, RuntimeError):
                return lambda f: f
        return real(name, *args, **kwargs)

    torch.library.register_fake = register_fake
    try:
        yield
    finally:
        torch.library.register_fake = real


def callable_of(text):
    module, _, path = text.partition(":")
    if not module or not path:
        raise RecordingError(f"MODULE:CALLABLE, e.g. torchvision.models:resnet50, but found {text!r}")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def transformers_model(path, head):
    """A function that builds what a config.json of transformers describes."""
    import transformers

    with open(path) as f:
        config = json.load(f)
    name = head or (config.get("architectures") or [None])[0]
    if name is None:
        kind = config.get("model_type")
        if kind is None:
            raise RecordingError(f"{path} has neither architectures nor model_type: name the class with --head")
        cls = transformers.AutoModel._model_mapping[transformers.CONFIG_MAPPING[kind]]
        cls = cls[0] if isinstance(cls, (list, tuple)) else cls
    else:
        cls = getattr(transformers, name, None)
        if cls is None:
            raise RecordingError(f"transformers {transformers.__version__} has no class {name}")
    if hasattr(cls, "config_class") and cls.config_class is not None:
        settings = cls.config_class.from_pretrained(path)
        make = (lambda: cls._from_config(settings)) if hasattr(cls, "_from_config") else (lambda: cls(settings))
    else:
        settings = transformers.AutoConfig.from_pretrained(path)
        make = lambda: cls.from_config(settings)
    return make, cls.__name__


def arguments_of(text):
    """--kwargs; a string 'torch.float16' is that dtype."""
    out = json.loads(text)
    if not isinstance(out, dict):
        raise RecordingError(f"--kwargs takes a JSON object, but found {text!r}")

    def value(x):
        if isinstance(x, str) and x.startswith("torch.") and isinstance(getattr(torch, x[6:], None), torch.dtype):
            return getattr(torch, x[6:])
        return x

    return tree(value, out)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="record.py", description="Records how PyTorch initialises a model.")
    parser.add_argument("callable", nargs="?", metavar="MODULE:CALLABLE", help="what builds the model, e.g. torchvision.models:resnet50")
    parser.add_argument("--kwargs", metavar="JSON", default="{}", help="its keyword arguments; 'torch.float16' is a dtype")
    parser.add_argument("--config", metavar="CONFIG.JSON", help="a config.json of transformers, in place of MODULE:CALLABLE")
    parser.add_argument("--head", metavar="CLASS", help="its class; default: the first of architectures, else AutoModel's")
    parser.add_argument("--dtype", help="the default dtype while the model is built, e.g. bfloat16")
    parser.add_argument("--values", metavar="FILE.safetensors", help="build the model for real, and keep its tables there")
    parser.add_argument("--seed", type=int, default=0, help="torch.manual_seed for --values (default 0)")
    parser.add_argument("-o", "--output", required=True, metavar="RECORDING.JSON")
    options = parser.parse_args(argv)
    if (options.callable is None) == (options.config is None):
        parser.error("give MODULE:CALLABLE or --config, one of the two")
    sys.path.insert(0, os.getcwd())
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    default = torch.get_default_dtype()
    try:
        source = {}
        with lenient_torchvision():
            if options.config is not None:
                make, head = transformers_model(options.config, options.head)
                source = {"config": os.path.basename(options.config), "head": head}
            else:
                function = callable_of(options.callable)
                keywords = arguments_of(options.kwargs)
                source = {"callable": options.callable, "kwargs": json.loads(options.kwargs)}
                make = lambda: function(**keywords)
            if options.dtype:
                torch.set_default_dtype(getattr(torch, options.dtype))
            recording = record(make, values=options.values, seed=options.seed, source=source)
    except RecordingError as error:
        print(f"record.py: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # of the model's own code, or of its package
        frames = traceback.extract_tb(error.__traceback__)
        where = next((f for f in reversed(frames) if f.filename != __file__ and f"{os.sep}torch{os.sep}" not in f.filename), None)
        what = options.callable or options.config
        place = "" if where is None else f" ({os.path.basename(where.filename)}:{where.lineno})"
        print(f"record.py: {what}: {type(error).__name__}: {error}{place}", file=sys.stderr)
        return 1
    finally:
        torch.set_default_dtype(default)
    with open(options.output, "w") as f:
        json.dump(recording, f, separators=(",", ":"), allow_nan=False)
        f.write("\n")
    counts = {
        "parameters": sum(1 for p in recording["parameters"] if not p.get("buffer")),
        "calls": len(recording["program"]),
        "tables": sum(1 for p in recording["parameters"] for w in p.get("writes", []) if w[0] == "table"),
    }
    print(f"{options.output}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    for finding in recording["findings"]:
        print(f"{finding['kind']}: {finding['message']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
