#!/usr/bin/env python3
"""Tests of record.py: every recording is replayed, by its own words alone, and compared bit for bit with the model that Python builds.

python3 python/test_record.py             what is installed of torch, torchvision, timm and transformers, quickly
python3 python/test_record.py --table     every model, with a row each
python3 python/test_record.py --vectors   writes test/vectors/recordings
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import unittest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

try:
    import torch
    from torch import nn
except ImportError as error:
    torch = None
    print(f"test_record.py: skipped, there is no torch ({error})", file=sys.stderr)

if torch is not None:
    import record as recorder_module
    from record import RecordingError, lenient_torchvision, record

    torch.set_num_threads(1)

SEEDS = (0, 12345)
VECTOR_SEEDS = (0, 1, 12345)
VECTORS = os.path.join(HERE, "..", "test", "vectors", "recordings")


# -- a replay, written from the format alone


def decoded(x):
    if isinstance(x, str):
        return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[x] if x in ("inf", "-inf", "nan") else int(x)
    return x


def split(row, first):
    options = row[-1] if isinstance(row[-1], dict) else {}
    arguments = row[first : len(row) - (1 if isinstance(row[-1], dict) else 0)]
    return [decoded(x) for x in arguments], options


def view(flat, part):
    if part is None:
        return flat
    shape = part["shape"]
    strides = part.get("strides")
    if strides is None:
        return flat[part["offset"] : part["offset"] + math.prod(shape)].view(shape)
    return flat.as_strided(shape, strides, part["offset"])


class Replay:
    """A recording replayed with torch: `values[name]` per parameter, None where a table is missing."""

    def __init__(self, recording, seed, tables=None):
        assert recording["format"] == "webgpu-init-recording" and recording["version"] == 1
        self.recording, self.tables, self.values = recording, tables or {}, {}
        self.made, self.named = {}, {}
        used = set()
        for entry in recording["parameters"] + recording.get("values", []):
            for row in entry.get("writes", []):
                options = row[-1] if isinstance(row[-1], dict) else {}
                if "call" in options:
                    used.add(options["call"])
        torch.manual_seed(seed)
        self.generators = [torch.Generator().manual_seed(decoded(g["seed"])) for g in recording.get("generators", [])]
        slots = {}
        for i, row in enumerate(recording["program"]):
            made = self.call(row, slots)
            if i in used:
                self.made[i] = made
        self.next = torch.rand(1).item()
        for entry in recording.get("values", []):
            self.named[entry["name"]] = self.built(entry)
        for entry in recording["parameters"]:
            if "tiedTo" in entry:
                self.values[entry["name"]] = self.values[entry["tiedTo"]]
            else:
                self.values[entry["name"]] = self.built(entry)

    def call(self, row, slots):
        op, _, count = row[:3]
        arguments, options = split(row, 3)
        if op == "manual_seed":
            torch.manual_seed(arguments[0])
            return None
        if op == "get_state":
            slots[arguments[0]] = torch.get_rng_state()
            return None
        if op == "set_state":
            torch.set_rng_state(slots[arguments[0]])
            return None
        if op == "unknown":
            raise ValueError(f"a call that is not known: {arguments[0]}")
        dtype = getattr(torch, options.get("dtype", "float32"))
        generator = None if "generator" not in options else self.generators[options["generator"]]
        if "strides" in options:
            out = torch.empty_strided(options["shape"], options["strides"], dtype=dtype)
        else:
            out = torch.empty(count, dtype=dtype)
        if op in ("normal_", "randn"):
            out.normal_(*arguments, generator=generator)
        elif op in ("uniform_", "rand"):
            out.uniform_(*arguments, generator=generator)
        elif op == "trunc_normal_" and options.get("method") == "inversion":
            mean, std, low, high = arguments
            assert math.isclose(std * math.sqrt(2), options["scale"])
            out.uniform_(*options["uniform"], generator=generator).erfinv_().mul_(options["scale"]).add_(mean).clamp_(low, high)
        elif op == "trunc_normal_":
            mean, std, low, high = arguments
            nn.init.trunc_normal_(out, mean, std, low, high, generator=generator)
        elif op == "orthogonal_":
            out = nn.init.orthogonal_(torch.empty(options["rows"], options["columns"], dtype=dtype), arguments[0], generator=generator)
        elif op == "sparse_":
            out = nn.init.sparse_(torch.empty(options["rows"], options["columns"], dtype=dtype), *arguments, generator=generator)
        elif op == "randperm":
            out = torch.randperm(count, dtype=dtype, generator=generator)
        elif op == "random_":
            low, high = arguments
            out.random_(generator=generator) if high is None else out.random_(low or 0, high, generator=generator)
        elif op in ("bernoulli_", "exponential_", "cauchy_", "log_normal_", "geometric_"):
            getattr(out, op)(*arguments, generator=generator)
        else:
            raise ValueError(f"no operation {op}")
        return out.contiguous().reshape(-1)

    def source(self, options, shape):
        flat = self.named[options["from"]]
        if flat is None:
            return None
        if options.get("source", {}).get("shape") == []:
            return flat[options["source"]["offset"]]
        return (view(flat, options["source"]) if "source" in options else flat).reshape(shape)

    def built(self, entry):
        shape, final = entry["shape"], getattr(torch, entry["dtype"])
        count = math.prod(shape)
        first = entry["writes"][0][-1] if entry["writes"] else None
        flat = torch.zeros(count, dtype=getattr(torch, first["dtype"]) if isinstance(first, dict) and "dtype" in first else final)
        known = True
        for row in entry["writes"]:
            op = row[0]
            arguments, options = split(row, 1)
            dtype = getattr(torch, options.get("dtype", entry["dtype"]))
            part = options.get("part")
            if dtype != flat.dtype:
                assert part is None
                flat = flat.to(dtype)
            target = view(flat, part) if part is not None else flat.view(shape)
            reads = None
            if "from" in options and op != "norm_":
                reads = self.source(options, target.shape)
                known = known and reads is not None
                if reads is None:
                    continue
            if "call" in options and op != "table":
                target.copy_(self.made[options["call"]].view(target.shape))
            elif op == "fill_":
                target.fill_(arguments[0])
            elif op == "eye_":
                target.copy_(torch.eye(*target.shape))
            elif op == "copy_":
                target.copy_(reads)
            elif op == "table":
                data = self.tables.get(options.get("data"))
                known = known and data is not None
                if data is not None:
                    target.copy_(data)
            elif op == "to":
                pass
            elif op in ("mul_", "div_"):
                getattr(target, op)(arguments[0] if reads is None else reads)
            elif op in ("add_", "sub_"):
                x, *alpha = arguments if reads is None else [reads, *arguments]
                getattr(target, op)(x, alpha=alpha[0] if alpha else 1)
            elif op == "clamp_":
                target.clamp_(*arguments)
            elif op == "norm_":
                value = self.named[options["from"]]
                known = known and value is not None
                if value is not None:
                    value = view(value, options["source"]) if "source" in options else value
                    target.copy_(value.norm(arguments[0], options["dims"], options.get("keepdim", False)).view(target.shape))
            elif op in ("erfinv_", "neg_", "exp_", "expm1_", "log_", "log1p_", "sqrt_", "rsqrt_", "reciprocal_", "abs_", "sin_", "cos_",
                        "tanh_", "sigmoid_", "sign_", "floor_", "round_", "pow_"):  # fmt: skip
                getattr(target, op)(*arguments)
            else:
                raise ValueError(f"{entry['name']}: no operation {op}")
        assert flat.dtype == final, entry["name"]
        return flat.view(shape) if known else None


def sha256(tensor):
    return hashlib.sha256(recorder_module.raw_bytes(tensor) if tensor.numel() else b"").hexdigest()


def tensors(model):
    return {name: tensor.detach() for name, tensor, *_ in recorder_module.tensors_of(model)}


def read_tables(path):
    out = {}
    names = {v: k for k, v in recorder_module.SAFETENSORS.items()}
    with open(path, "rb") as f:
        data = f.read()
    length = int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8 : 8 + length]).items():
        first, end = entry["data_offsets"]
        raw = bytearray(data[8 + length + first : 8 + length + end])
        dtype = getattr(torch, names[entry["dtype"]])
        out[name] = (torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)).view(entry["shape"])
    return out


def without_data(recording):
    """The part of a recording that is the same for a model that is built for real."""
    text = json.dumps({k: recording[k] for k in ("parameters", "program") if k in recording} | {"values": recording.get("values", [])})
    plain = json.loads(text)
    for entry in plain["parameters"] + plain["values"]:
        for row in entry.get("writes", []):
            if isinstance(row[-1], dict):
                row[-1].pop("data", None)
    return plain


def compared(make, seeds=SEEDS, values=True):
    """Records, replays and compares a model: counts, and the names that differ."""
    began = time.time()
    recording = record(make)
    out = {
        "seconds": time.time() - began,
        "recording": recording,
        "differ": [],
        "equal": 0,
        "tables": 0,
        "unknown": [],
        "end": True,
        "same": True,
    }
    tables = {}
    if values:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tables.safetensors")
            again = record(make, values=path, seed=seeds[0])
            tables = read_tables(path)
        out["same"] = without_data(again) == without_data(recording)
        recording = again if out["same"] else recording
    depends = {f["parameter"] for f in recording["findings"] if f["kind"] == "random-table"}
    depends |= {entry["name"] for entry in recording["parameters"] if entry.get("tiedTo") in depends}
    unset = {f.get("parameter") for f in recording["findings"] if f["kind"] == "uninitialised"}
    for seed in seeds:
        torch.manual_seed(seed)
        model = make()
        following = torch.rand(1).item()
        replay = Replay(recording, seed, tables)
        real = tensors(model)
        assert list(real) == [entry["name"] for entry in recording["parameters"]]
        out["end"] = out["end"] and replay.next == following
        for entry in recording["parameters"]:
            name = entry["name"]
            value = replay.values[name]
            assert list(real[name].shape) == entry["shape"] and str(real[name].dtype) == f"torch.{entry['dtype']}"
            if name in unset or (name in depends and seed != seeds[0]):
                out["unknown"].append(name)
            elif value is None:
                out["tables"] += 1
                out["unknown"].append(name)
            elif sha256(real[name]) == sha256(value):
                out["equal"] += 1
            else:
                out["differ"].append(f"{name} (seed {seed})")
        del model, real, replay
    return out


# -- models


def plain_models():
    class Operations(nn.Module):
        """Every random call and change that a replay makes bit for bit, in every dtype, on few elements and on more than 16."""

        def __init__(self):
            super().__init__()
            halves = (torch.float32, torch.float16, torch.bfloat16)
            made = []
            for n in (5, 40):
                for dtype in halves:
                    made += [torch.empty(n, dtype=dtype).bernoulli_(0.3), torch.empty(n, dtype=dtype).random_()]
                    made += [torch.empty(n, dtype=dtype).random_(3, 200), torch.empty(n, dtype=dtype).uniform_(2, 5.5)]
                    made += [nn.init.trunc_normal_(torch.empty(n, dtype=dtype), a, 1.0, *ends) for a, *ends in ((0.2, -2, 2), (0.2, 1.5, 3))]
                    made += [torch.empty(n, dtype=dtype).normal_(0.5, 2).mul_(0.1).add_(0.1).div_(0.3).sub_(0.7)]
                    made += [torch.empty(n, 3, dtype=dtype).t().normal_(), torch.empty(n, 4, 3, dtype=dtype)[:, 1:3].uniform_()]
                    made += [torch.randn(n, dtype=dtype).clamp(-0.55, 0.7)]
                for dtype in (torch.int64, torch.int32, torch.int16, torch.uint8, torch.bool):
                    made += [torch.empty(n, dtype=dtype).random_().float()]
                made += [torch.randint(0, 2**40, (n,)).float(), torch.randperm(n).float(), torch.rand(n, dtype=torch.float64).float()]
                x = torch.randn(n)
                made += [x.abs(), x.pow(2), 1 / x, x.floor(), x.round(), (x.abs() + 1).rsqrt(), -x, x.sign(), x.half().float() * 3]
                made += [nn.init.sparse_(torch.empty(n, 3), 0.4)]
            for i, t in enumerate(made):
                setattr(self, f"p{i}", nn.Parameter(t, requires_grad=False))

    class Mixed(nn.Module):
        """What people write by hand."""

        def __init__(self):
            super().__init__()
            self.scaled = nn.Parameter(torch.randn(4, 30) * 0.02)
            self.joined = nn.Parameter(torch.cat([torch.zeros(2, 3), torch.rand(3, 3) - 0.5]))
            self.square = nn.Parameter(nn.init.orthogonal_(torch.empty(12, 12), 0.5))
            self.wide = nn.Parameter(nn.init.orthogonal_(torch.empty(4, 2, 3, 3)))
            self.truncated = nn.Parameter(nn.init.trunc_normal_(torch.empty(500), std=0.5, a=-1, b=1))
            self.turned = nn.Parameter(torch.randn(7, 5).t())
            self.order = nn.Parameter(torch.randperm(50).float() / 50)
            self.coins = nn.Parameter(torch.empty(100).bernoulli_(0.25))
            self.columns = nn.Parameter(torch.ones(6, 8))
            with torch.no_grad():
                self.columns[:, 2:5].normal_(0, 0.1)
                self.columns[1] = self.columns[0]
                self.columns[:, 7] *= 3
            self.sparse = nn.Parameter(nn.init.sparse_(torch.empty(10, 6), 0.3))
            self.eye = nn.Parameter(nn.init.eye_(torch.empty(3, 5)))
            self.dirac = nn.Parameter(nn.init.dirac_(torch.empty(4, 3, 3)))
            self.stacked = nn.Parameter(torch.stack([torch.randn(20) for _ in range(3)], dim=1))
            self.repeated = nn.Parameter(torch.randn(1, 5).repeat(4, 1))
            self.spread = nn.Parameter(torch.randn(5, 1).expand(5, 4).clone())
            self.log_uniform = nn.Parameter(torch.exp(torch.rand(33) * 3 - 5).clamp(min=0.01))
            self.mixed = nn.Parameter(torch.eye(4) + 0.1 * torch.randn(4, 4))
            self.times = nn.Parameter(torch.randn(6, 3) * torch.rand(6, 1))
            self.integers = nn.Parameter(torch.randint(0, 10, (40,)).float())
            self.register_buffer("table", torch.arange(6.0) / 3)
            self.register_buffer("angles", torch.sin(torch.arange(8.0)), persistent=False)
            self.register_buffer("mask", torch.full((3, 3), float("-inf")).triu(1))
            shared = torch.randn(40)
            self.first, self.second = nn.Parameter(shared[:10].view(2, 5)), nn.Parameter(shared[10:])
            self.same = nn.Parameter(torch.randn(1, 4).expand(3, 4))
            halves = torch.empty(2, 12)
            halves[0].uniform_()
            halves[1].normal_()
            self.halves = nn.Parameter(halves.half())
            self.bounds = nn.Parameter(torch.full((3,), float("-inf")))
            self.quarters = nn.Parameter(torch.cat([torch.randn(2, 6).half(), torch.ones(1, 6).half()]))
            self.pieces = nn.Parameter(torch.cat([torch.randn(2, 6), torch.rand(2, 6)], dim=1).half())
            self.rows = nn.Parameter(torch.randn(6, 4)[1:4] * 2)
            self.padded = nn.Parameter(nn.functional.pad(torch.randn(2, 3), (1, 1)))
            self.picked = nn.Parameter(torch.randn(7, 3))
            self.picked.data[[1, 4]] = 0
            self.rounded = nn.Parameter(torch.randn(37).to(torch.float16) * 0.1)

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(20, 8)
            self.head = nn.Linear(8, 20, bias=False)
            self.head.weight = self.embed.weight
            self.again = self.head

    class Seeded(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(5, 4)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(7)
                self.b = nn.Linear(5, 4)
            self.c = nn.Linear(5, 4)
            self.d = nn.Parameter(torch.empty(19).normal_(generator=torch.Generator().manual_seed(3)))
            self.e = nn.Parameter(torch.randn(9))

    class Layout(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
            nn.init.normal_(self.conv.weight, 0, 0.3)
            self.shift = nn.Parameter(torch.empty(8, 6).t())
            nn.init.uniform_(self.shift, -0.25, 0.75)

    def gates(module):
        """The forget gates' biases 1, orthogonal recurrences: as in many papers."""
        for name, p in module.named_parameters():
            if "weight_hh" in name:
                for i in range(4):
                    nn.init.orthogonal_(p.data[i * module.hidden_size : (i + 1) * module.hidden_size])
            elif "bias" in name:
                n = p.size(0)
                p.data.fill_(0)
                p.data[n // 4 : n // 2].fill_(1)
        return module

    def applied(module, init):
        module.apply(lambda m: init(m.weight) if isinstance(m, (nn.Linear, nn.Conv2d)) else None)
        return module

    def inverted(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0):
        """The truncated normal as it was before PyTorch 2.13, copied into many programs."""
        low, high = ((1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0 for x in (a, b))
        with torch.no_grad():
            tensor.uniform_(2 * low - 1, 2 * high - 1)
            tensor.erfinv_()
            tensor.mul_(std * math.sqrt(2.0))
            tensor.add_(mean)
            tensor.clamp_(min=a, max=b)
            return tensor

    small = lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4))
    block = lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    return {
        "nn MLP": lambda: nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 3)),
        "nn Conv BatchNorm": small,
        "nn Conv BatchNorm bfloat16": lambda: small().bfloat16(),
        "nn Linear in float16": lambda: nn.Sequential(nn.Linear(30, 21, dtype=torch.float16), nn.Embedding(7, 5, dtype=torch.float16)),
        "nn Linear in bfloat16": lambda: nn.Sequential(nn.Linear(30, 21, dtype=torch.bfloat16), nn.Embedding(7, 5, dtype=torch.bfloat16)),
        "nn Linear in float64": lambda: nn.Sequential(nn.Linear(30, 21, dtype=torch.float64), nn.Embedding(7, 5, dtype=torch.float64)),
        "nn Embedding padding": lambda: nn.Sequential(nn.Embedding(10, 4, padding_idx=0), nn.EmbeddingBag(9, 5, padding_idx=3)),
        "nn LSTM": lambda: nn.LSTM(4, 5, 2, bidirectional=True, proj_size=3),
        "nn LSTM gates": lambda: gates(nn.LSTM(4, 6)),
        "nn GRU RNN": lambda: nn.ModuleList([nn.GRU(4, 5), nn.RNN(3, 4), nn.GRUCell(3, 2), nn.LSTMCell(3, 2)]),
        "nn MultiheadAttention": lambda: nn.ModuleList(
            [nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2, kdim=6, vdim=4, add_bias_kv=True)]
        ),
        "nn TransformerEncoder": block,
        "nn Transformer": lambda: nn.Transformer(8, 2, 1, 2, 16),
        "nn Bilinear PReLU": lambda: nn.ModuleList([nn.Bilinear(3, 4, 5), nn.PReLU(4), nn.GroupNorm(2, 4), nn.LayerNorm(6), nn.RMSNorm(6)]),
        "nn ConvTranspose Conv1d Conv3d": lambda: nn.ModuleList(
            [nn.ConvTranspose2d(4, 6, 3, groups=2), nn.Conv1d(4, 8, 5), nn.Conv3d(2, 4, 3, bias=False)]
        ),
        "nn weight_norm": lambda: nn.Sequential(
            nn.utils.parametrizations.weight_norm(nn.Linear(30, 20)), nn.utils.parametrizations.weight_norm(nn.Conv1d(8, 6, 5), dim=2)
        ),
        "nn weight_norm old": lambda: nn.utils.weight_norm(nn.Conv2d(4, 6, 3)),
        "nn spectral_norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(30, 20)),
        "nn AdaptiveLogSoftmax": lambda: nn.AdaptiveLogSoftmaxWithLoss(16, 40, [10, 20]),
        "own Mixed": Mixed,
        "own Operations": Operations,
        "own Tied": Tied,
        "own Seeded": Seeded,
        "own Layout": Layout,
        "own kaiming": lambda: applied(small(), lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
        "own xavier": lambda: applied(small(), lambda w: nn.init.xavier_uniform_(w, gain=nn.init.calculate_gain("tanh"))),
        "own orthogonal": lambda: applied(small(), lambda w: nn.init.orthogonal_(w, math.sqrt(2))),
        "own trunc_normal": lambda: applied(small(), lambda w: nn.init.trunc_normal_(w, std=0.02)),
        "own trunc_normal far": lambda: applied(small(), lambda w: nn.init.trunc_normal_(w, std=0.5, a=0.6, b=1)),
        "own trunc_normal by inversion": lambda: applied(small(), lambda w: inverted(w, 0.01, 0.05, -0.1, 0.1)),
        "own trunc_normal bfloat16": lambda: applied(
            nn.Sequential(nn.Linear(40, 30, dtype=torch.bfloat16)), lambda w: nn.init.trunc_normal_(w, std=0.7)
        ),
    }


def random_program(seed, steps=14):
    """A module whose constructor does `steps` operations taken at random."""
    import copy
    import random

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            r = random.Random(seed)
            pool = []

            def make():
                shape = r.choice([(3,), (20,), (4, 5), (2, 3, 4), (6, 6), (1, 8), (17,), (2, 16)])
                kind = r.choice(["randn", "rand", "zeros", "ones", "full", "empty_normal", "empty_uniform", "arange", "trunc"])
                n = 1
                for s in shape:
                    n *= s
                if kind == "full":
                    return torch.full(shape, r.choice([0.5, -2.0]))
                if kind == "empty_normal":
                    return torch.empty(shape).normal_(r.choice([0, 0.5]), r.choice([1, 0.02]))
                if kind == "empty_uniform":
                    return torch.empty(shape).uniform_(-0.5, r.choice([0.5, 0.75]))
                if kind == "arange":
                    return torch.arange(float(n)).view(shape)
                if kind == "trunc":
                    return nn.init.trunc_normal_(torch.empty(shape), std=r.choice([0.02, 1.0]))
                return getattr(torch, kind)(shape)

            def view(t):
                k = r.choice(["same", "slice", "select", "t", "narrow", "reshape", "row", "step"])
                if t.dim() == 0:
                    return t
                d = r.randrange(t.dim())
                if k == "slice":
                    return t[: max(1, t.shape[0] // 2)]
                if k == "select" and t.shape[d] > 1:
                    return t.select(d, r.randrange(t.shape[d]))
                if k == "t" and t.dim() > 1:
                    return t.transpose(0, -1)
                if k == "narrow":
                    n = r.randrange(1, t.shape[d] + 1)
                    s = r.randrange(t.shape[d] - n + 1)
                    return t.narrow(d, s, n)
                if k == "reshape" and t.is_contiguous():
                    return t.view(-1)
                if k == "row":
                    return t[-1:]
                if k == "step":
                    return t[::2]
                return t

            for _ in range(3):
                pool.append(make())
            for _ in range(steps):
                a = r.choice(pool)
                v = view(a)
                k = r.choice(
                    [
                        "make",
                        "mul_",
                        "add_",
                        "fill_",
                        "zero_",
                        "copy_",
                        "normal_",
                        "uniform_",
                        "clamp_",
                        "div_",
                        "sub_",
                        "addt_",
                        "mult_",
                        "mulo",
                        "addo",
                        "cat",
                        "stack",
                        "clone",
                        "contig",
                        "half",
                        "repeat",
                        "neg",
                        "exp",
                        "pad",
                        "mask",
                        "index",
                        "copyo",
                        "setcopy",
                        "rsub",
                        "self",
                        "cast",
                        "expand",
                        "softmax",
                        "deep",
                        "roll",
                        "eye",
                        "double",
                        "randlike",
                        "scalar",
                    ]
                )
                big = a.numel() > 4000
                x = r.choice([2, 0.5, -0.3, 1.7])
                with torch.no_grad():
                    if k == "make":
                        pool.append(make())
                    elif k in ("mul_", "div_", "fill_"):
                        getattr(v, k)(x)
                    elif k in ("add_", "sub_"):
                        getattr(v, k)(x, alpha=r.choice([1, 1, 3]))
                    elif k == "zero_":
                        v.zero_()
                    elif k == "normal_":
                        v.normal_(0, abs(x))
                    elif k == "uniform_":
                        v.uniform_(-1, abs(x))
                    elif k == "clamp_":
                        v.clamp_(-0.5, 0.5 if x > 0 else None)
                    elif k in ("copy_", "addt_", "mult_"):
                        b = view(r.choice(pool))
                        if b.dim() > v.dim() or any(p not in (1, q) for p, q in zip(b.shape[::-1], v.shape[::-1])):
                            continue
                        if k == "copy_":
                            if b.untyped_storage()._cdata == v.untyped_storage()._cdata:
                                continue
                            v.copy_(b)
                        elif b.untyped_storage()._cdata != v.untyped_storage()._cdata:
                            getattr(v, "add_" if k == "addt_" else "mul_")(b)
                    elif k == "mulo":
                        pool.append(v * x)
                    elif k == "addo":
                        b = view(r.choice(pool))
                        if all(p == q or 1 in (p, q) for p, q in zip(b.shape[::-1], v.shape[::-1])):
                            pool.append(v + b)
                    elif k == "cat" and not big:
                        pool.append(torch.cat([v, v * 2, torch.randn(v.shape)], dim=0) if v.dim() else v.clone())
                    elif k == "stack" and not big:
                        pool.append(torch.stack([v, torch.rand(v.shape), v], dim=r.randrange(v.dim() + 1)))
                    elif k == "clone":
                        pool.append(v.clone())
                    elif k == "contig":
                        pool.append(v.contiguous().clone() if r.random() < 0.5 else v.contiguous())
                    elif k == "half":
                        pool.append(v.half())
                    elif k == "cast":
                        pool.append(v.float())
                    elif k == "double":
                        pool.append(v.double() * x)
                    elif k == "repeat" and not big:
                        pool.append(v.repeat(*([2] * max(1, v.dim()))))
                    elif k == "neg":
                        pool.append(-v)
                    elif k == "rsub":
                        pool.append(1 - v)
                    elif k == "exp":
                        pool.append(torch.exp(v.clamp(-3, 3)))
                    elif k == "softmax" and v.dim():
                        pool.append(v.softmax(-1))
                    elif k == "pad" and v.dim():
                        pool.append(nn.functional.pad(v, (1, 2), value=x))
                    elif k == "mask":
                        v.masked_fill_(torch.arange(v.numel()).view(v.shape) % 3 == 0, x)
                    elif k == "index" and v.dim():
                        v[[0, -1]] = x
                    elif k == "setcopy" and v.dim() and v.shape[0] > 1:
                        v[0] = v[1]
                    elif k == "self":
                        v.add_(v)
                    elif k == "expand" and not big:
                        pool.append(v.unsqueeze(0).expand(3, *v.shape).clone())
                    elif k == "deep":
                        pool.append(copy.deepcopy(a))
                    elif k == "roll" and v.dim():
                        pool.append(v.roll(1, 0))
                    elif k == "eye":
                        pool.append(torch.eye(4))
                    elif k == "randlike":
                        pool.append(torch.randn_like(v))
                    elif k == "scalar":
                        v.mul_(torch.tensor(x))
            for i, t in enumerate(pool[-6:]):
                p = nn.Parameter(view(t) if r.random() < 0.4 else t, requires_grad=False)
                setattr(self, f"p{i}", p)

    return Net


def torchvision_models():
    with lenient_torchvision():
        from torchvision import models
    names = """resnet18 resnet50 resnext50_32x4d wide_resnet50_2 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0
        efficientnet_v2_s convnext_tiny swin_t swin_v2_t vit_b_32 densenet121 alexnet squeezenet1_1 shufflenet_v2_x0_5 mnasnet0_5 googlenet
        inception_v3 regnet_y_400mf regnet_x_400mf maxvit_t vgg11_bn""".split()
    out = {
        f"torchvision {n}": (lambda n=n: getattr(models, n)(**({"init_weights": True} if n in ("googlenet", "inception_v3") else {})))
        for n in names
    }
    out["torchvision resnet50 zero_init_residual"] = lambda: models.resnet50(zero_init_residual=True)
    out["torchvision fcn_resnet50"] = lambda: models.segmentation.fcn_resnet50(weights=None, weights_backbone=None)
    out["torchvision deeplabv3_mobilenet_v3"] = lambda: models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None
    )
    out["torchvision r3d_18"] = lambda: models.video.r3d_18()
    out["torchvision ssdlite320"] = lambda: models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    out["torchvision fasterrcnn"] = lambda: models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
    out["torchvision raft_small"] = lambda: models.optical_flow.raft_small()
    return out


def timm_models():
    with lenient_torchvision():
        import timm
    names = """resnet18 resnet26d vit_tiny_patch16_224 deit_tiny_patch16_224 efficientnet_b0 convnext_atto mobilenetv3_small_050
        swin_tiny_patch4_window7_224 mixer_s32_224 resmlp_12_224 cait_xxs24_224 beit_base_patch16_224 regnety_002 ghostnet_050 lcnet_035
        tinynet_e mobilevit_xxs edgenext_xx_small poolformer_s12 pvt_v2_b0 xcit_nano_12_p16_224 levit_128s efficientformer_l1 mobileone_s0
        repvgg_a0 nf_regnet_b0 maxvit_rmlp_pico_rw_256 coat_lite_tiny crossvit_tiny_240 visformer_tiny hrnet_w18_small dla46_c sequencer2d_s
        volo_d1_224 twins_svt_small tnt_s_legacy_patch16_224 gmlp_ti16_224 vit_tiny_r_s16_p8_224 fastvit_t8 eva02_tiny_patch14_224
        vit_small_patch14_dinov2 test_vit test_resnet test_efficientnet test_convnext mambaout_femto tiny_vit_5m_224 hiera_tiny_224""".split()  # fmt: skip
    known = set(timm.list_models())
    return {f"timm {n}": (lambda n=n: timm.create_model(n)) for n in names if n in known}


SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 99}
TEXT = {**SMALL, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
IMAGE = {**SMALL, "image_size": 32, "patch_size": 8}
KV = {"num_key_value_heads": 2, "head_dim": 8}
MOE = {"num_local_experts": 4, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}

TRANSFORMERS = {
    # name: model_type, head (None: AutoModel), settings
    "llama": ("llama", "LlamaForCausalLM", {**TEXT, **KV}),
    "llama bfloat16": ("llama", "LlamaForCausalLM", {**TEXT, **KV, "dtype": "bfloat16", "tie_word_embeddings": True}),
    "mistral": ("mistral", "MistralForCausalLM", {**TEXT, **KV}),
    "qwen2": ("qwen2", "Qwen2ForCausalLM", {**TEXT, **KV}),
    "qwen3": ("qwen3", "Qwen3ForCausalLM", {**TEXT, **KV}),
    "gemma": ("gemma", "GemmaForCausalLM", {**TEXT, **KV}),
    "gemma3": ("gemma3_text", "Gemma3ForCausalLM", {**TEXT, **KV}),
    "phi3": ("phi3", "Phi3ForCausalLM", {**TEXT, **KV}),
    "mixtral": ("mixtral", "MixtralForCausalLM", {**TEXT, **KV, **MOE}),
    "qwen3 moe": ("qwen3_moe", "Qwen3MoeForCausalLM", {**TEXT, **KV, **MOE}),
    "gpt2": ("gpt2", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64}),
    "gpt2 float16": (
        "gpt2",
        "GPT2LMHeadModel",
        {"n_embd": 36, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64, "dtype": "float16"},
    ),
    "gpt_neox": ("gpt_neox", "GPTNeoXForCausalLM", TEXT),
    "opt": ("opt", "OPTForCausalLM", {**TEXT, "ffn_dim": 48, "word_embed_proj_dim": 32}),
    "bloom": ("bloom", "BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99}),
    "falcon": ("falcon", "FalconForCausalLM", TEXT),
    "mamba": ("mamba", "MambaForCausalLM", {**SMALL, "state_size": 4}),
    "mamba2": ("mamba2", "Mamba2ForCausalLM", {**SMALL, "num_heads": 8, "head_dim": 8, "state_size": 4, "n_groups": 1}),
    "rwkv": ("rwkv", "RwkvForCausalLM", {**SMALL, "attention_hidden_size": 32}),
    "bert": ("bert", "BertForMaskedLM", TEXT),
    "bert bfloat16": ("bert", "BertForMaskedLM", {**TEXT, "dtype": "bfloat16"}),
    "roberta": ("roberta", "RobertaForMaskedLM", {**TEXT, "pad_token_id": 1}),
    "distilbert": ("distilbert", "DistilBertForMaskedLM", {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "vocab_size": 99}),
    "albert": ("albert", "AlbertForMaskedLM", {**TEXT, "embedding_size": 16}),
    "electra": ("electra", "ElectraForPreTraining", {**TEXT, "embedding_size": 16}),
    "deberta-v2": ("deberta-v2", "DebertaV2ForMaskedLM", {**TEXT, "relative_attention": True}),
    "modernbert": ("modernbert", "ModernBertForMaskedLM", TEXT),
    "xlnet": ("xlnet", "XLNetLMHeadModel", {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, "vocab_size": 99}),
    "t5": ("t5", "T5ForConditionalGeneration", {"d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4, "vocab_size": 99}),
    "bart": (
        "bart",
        "BartForConditionalGeneration",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "vocab_size": 99,
            "max_position_embeddings": 64,
        },
    ),  # fmt: skip
    "whisper": (
        "whisper",
        "WhisperForConditionalGeneration",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "vocab_size": 99,
            "num_mel_bins": 8,
            "max_source_positions": 30,
            "max_target_positions": 20,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
    ),  # fmt: skip
    "wav2vec2": (
        "wav2vec2",
        "Wav2Vec2ForCTC",
        {
            **SMALL,
            "conv_dim": [16, 16],
            "conv_kernel": [5, 3],
            "conv_stride": [2, 2],
            "num_conv_pos_embeddings": 8,
            "num_conv_pos_embedding_groups": 4,
        },
    ),  # fmt: skip
    "clip": ("clip", "CLIPModel", {"text_config": TEXT, "vision_config": IMAGE, "projection_dim": 16}),
    "siglip": ("siglip", "SiglipModel", {"text_config": {**TEXT, "projection_size": 32}, "vision_config": IMAGE}),
    "vit": ("vit", "ViTForImageClassification", IMAGE),
    "vit float16": ("vit", "ViTForImageClassification", {**IMAGE, "dtype": "float16"}),
    "deit": ("deit", "DeiTForImageClassification", IMAGE),
    "beit": ("beit", "BeitForImageClassification", {**IMAGE, "use_relative_position_bias": True}),
    "dinov2": ("dinov2", "Dinov2Model", IMAGE),
    "vit_mae": (
        "vit_mae",
        "ViTMAEForPreTraining",
        {
            **IMAGE,
            "decoder_hidden_size": 16,
            "decoder_num_hidden_layers": 1,
            "decoder_num_attention_heads": 2,
            "decoder_intermediate_size": 24,
        },
    ),  # fmt: skip
    "swin": (
        "swin",
        "SwinForImageClassification",
        {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 2], "window_size": 4},
    ),
    "convnext": ("convnext", "ConvNextForImageClassification", {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2}),
    "convnextv2": ("convnextv2", "ConvNextV2ForImageClassification", {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2}),
    "resnet": ("resnet", "ResNetForImageClassification", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}),
    "segformer": (
        "segformer",
        "SegformerForSemanticSegmentation",
        {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2], "decoder_hidden_size": 16},
    ),
    "mobilevit": (
        "mobilevit",
        "MobileViTForImageClassification",
        {"image_size": 64, "hidden_sizes": [16, 16, 16], "neck_hidden_sizes": [8, 8, 8, 8, 8, 8, 16], "num_attention_heads": 4},
    ),
    "layoutlm": ("layoutlm", "LayoutLMForMaskedLM", TEXT),
    "longformer": ("longformer", "LongformerForMaskedLM", {**TEXT, "attention_window": 8}),
    "blip": (
        "blip",
        "BlipModel",
        {
            "text_config": {**TEXT, "encoder_hidden_size": 32, "projection_dim": 16},
            "vision_config": IMAGE,
            "projection_dim": 16,
            "image_text_hidden_size": 16,
        },
    ),
    "llava": (
        "llava",
        "LlavaForConditionalGeneration",
        {
            "text_config": {"model_type": "llama", **TEXT, **KV},
            "vision_config": {"model_type": "clip_vision_model", **IMAGE},
            "image_token_index": 98,
        },
    ),
    "hubert": (
        "hubert",
        "HubertForCTC",
        {
            **SMALL,
            "conv_dim": [16, 16],
            "conv_kernel": [5, 3],
            "conv_stride": [2, 2],
            "num_conv_pos_embeddings": 8,
            "num_conv_pos_embedding_groups": 4,
        },
    ),
    "perceiver": (
        "perceiver",
        "PerceiverForMaskedLM",
        {
            "d_model": 32,
            "d_latents": 32,
            "num_latents": 8,
            "num_blocks": 1,
            "num_self_attends_per_block": 2,
            "num_self_attention_heads": 4,
            "num_cross_attention_heads": 4,
            "vocab_size": 99,
            "max_position_embeddings": 32,
        },
    ),
}


def transformers_models():
    with lenient_torchvision():
        import transformers
    transformers.logging.set_verbosity_error()
    out = {}
    for name, (kind, head, settings) in TRANSFORMERS.items():

        def make(kind=kind, head=head, settings=settings):
            config = transformers.CONFIG_MAPPING[kind](**json.loads(json.dumps(settings)))
            with lenient_torchvision():
                cls = getattr(transformers, head)
            return cls._from_config(config)

        out[f"transformers {name}"] = make
        with lenient_torchvision():
            getattr(transformers, head)
    return out


def groups():
    """Groups of models of the packages that are installed."""
    out = {"torch": plain_models}
    for name, models in (("torchvision", torchvision_models), ("timm", timm_models), ("transformers", transformers_models)):
        try:
            with lenient_torchvision():
                __import__(name)
            out[name] = models
        except ImportError as error:
            print(f"test_record.py: {name} skipped ({error})", file=sys.stderr)
    return out


def table(only):
    totals = {"models": 0, "whole": 0, "equal": 0, "differ": 0, "failed": 0}
    print(
        "| model | parameters and buffers | calls | dropped | tables | tables that depend on the seed | equal | differ | same end | real = without memory | s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for models in groups().values():
        for name, make in models().items():
            if only and not any(word in name for word in only):
                continue
            totals["models"] += 1
            try:
                got = compared(make)
            except Exception as error:
                totals["failed"] += 1
                print(f"| {name} | {type(error).__name__}: {str(error)[:300]} |", flush=True)
                continue
            recording = got["recording"]
            rows = [r for e in recording["parameters"] for r in e.get("writes", []) if r[0] == "table"]
            depends = sum(1 for r in rows if r[-1].get("random"))
            whole = not got["differ"] and got["end"] and got["same"] and not got["unknown"]
            totals["whole"] += whole
            totals["equal"] += got["equal"]
            totals["differ"] += len(got["differ"])
            dropped = sum(1 for r in recording["program"] if r[1] is None)
            print(
                f"| {name} | {len(recording['parameters'])} | {len(recording['program'])} | {dropped} | {len(rows)} | {depends} | {got['equal']} | {len(got['differ'])} | {got['end']} | {got['same']} | {got['seconds']:.2f} |",
                flush=True,
            )
            for problem in got["differ"][:5] + sorted(set(got["unknown"]))[:5]:
                print(f"    {problem}")
            for finding in recording["findings"][:4]:
                print(f"    {finding['kind']}: {finding['message']}")
    print(json.dumps(totals))
    return totals


# -- vectors: recordings and hashes for readers that have no Python

VECTOR_MODELS = """
    nn MLP | nn GRU RNN | nn Conv BatchNorm | nn Conv BatchNorm bfloat16 | nn Linear in float16 | nn Linear in bfloat16 | nn Embedding padding | nn LSTM
    nn LSTM gates | nn MultiheadAttention | nn Transformer | nn weight_norm | nn spectral_norm | own Mixed | own Operations | own Tied | own Seeded
    own Layout | own kaiming | own orthogonal | own trunc_normal | own trunc_normal far | own trunc_normal by inversion
    own trunc_normal bfloat16 | torchvision squeezenet1_1 | timm test_vit | timm test_convnext | transformers llama
    transformers llama bfloat16 | transformers mixtral | transformers gpt2 | transformers gpt2 float16 | transformers bert
    transformers bert bfloat16 | transformers deberta-v2 | transformers t5 | transformers whisper | transformers wav2vec2
    transformers clip | transformers vit | transformers deit | transformers beit | transformers swin | transformers convnext
    transformers mamba | transformers rwkv | transformers vit float16
"""


def write_vectors():
    wanted = [name.strip() for line in VECTOR_MODELS.strip().splitlines() for name in line.split("|")]
    makers = {name: make for models in groups().values() for name, make in models().items()}
    os.makedirs(VECTORS, exist_ok=True)
    size = 0
    for name in wanted:
        make = makers[name]
        recording = record(make)
        recording["source"]["model"] = name
        hashes = {"recording": name, "torch": str(torch.__version__), "sha256": {}, "next": {}}
        tables = {e["name"] for e in recording["parameters"] if any(r[0] == "table" for r in e.get("writes", []))}
        for seed in VECTOR_SEEDS:
            torch.manual_seed(seed)
            model = make()
            hashes["next"][str(seed)] = torch.rand(1).item()
            values = tensors(model)
            replay = Replay(recording, seed)
            assert replay.next == hashes["next"][str(seed)]
            # A tied or a table's tensor has none; the others are in the order of the recording.
            hashes["sha256"][str(seed)] = rows = {}
            for entry in recording["parameters"]:
                if "tiedTo" in entry or entry["name"] in tables or not entry["writes"]:
                    continue
                rows[entry["name"]] = sha256(values[entry["name"]])
                assert rows[entry["name"]] == sha256(replay.values[entry["name"]]), entry["name"]
        fixed = {n: h for n, h in hashes["sha256"]["0"].items() if all(hashes["sha256"][str(s)][n] == h for s in VECTOR_SEEDS)}
        hashes["always"] = fixed  # what no seed changes
        for seed in VECTOR_SEEDS:
            hashes["sha256"][str(seed)] = {n: h for n, h in hashes["sha256"][str(seed)].items() if n not in fixed}
        stem = os.path.join(VECTORS, name.replace(" ", "-").replace("_", "-").lower())
        for path, data in ((f"{stem}.json", recording), (f"{stem}.sha256.json", hashes)):
            with open(path, "w") as f:
                json.dump(data, f, separators=(",", ":"))
                f.write("\n")
            size += os.path.getsize(path)
    print(f"{len(wanted)} recordings, {size} bytes")


# -- tests


@unittest.skipIf(torch is None, "there is no torch")
class Recordings(unittest.TestCase):
    def whole(self, make, **more):
        got = compared(make, **more)
        self.assertEqual(got["differ"], [])
        self.assertTrue(got["end"], "the replay takes as many words")
        self.assertTrue(got["same"], "without memory as for real")
        return got

    def writes(self, recording):
        return {entry["name"]: entry.get("writes") for entry in recording["parameters"]}

    def test_torch(self):
        for name, make in plain_models().items():
            with self.subTest(name):
                self.whole(make)

    def packages(self, group, names):
        models = groups().get(group)
        if models is None:
            self.skipTest(f"{group} is not installed")
        made = models()
        for name in names:
            with self.subTest(name):
                if f"{group} {name}" not in made:
                    self.skipTest(f"this {group} has no {name}")
                self.assertEqual(self.whole(made[f"{group} {name}"])["unknown"], [])

    def test_torchvision(self):
        self.packages("torchvision", ["resnet18", "swin_t", "convnext_tiny", "squeezenet1_1", "mobilenet_v3_small"])

    def test_timm(self):
        self.packages("timm", ["test_vit", "test_resnet", "test_efficientnet", "test_convnext", "levit_128s"])

    def test_transformers(self):
        self.packages("transformers", list(TRANSFORMERS))

    def test_random_programs(self):
        for seed in range(40):
            with self.subTest(seed):
                self.whole(random_program(seed))

    def test_deep_copies_of_buffers(self):
        import copy

        def make():
            layer = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
            layer[1].running_mean.normal_()
            return nn.ModuleList([copy.deepcopy(layer) for _ in range(20)])

        got = self.whole(make)
        self.assertEqual(len(got["recording"]["program"]), 3)

    def test_names_ties_and_buffers(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(3, 3)
                self.b = nn.Linear(3, 3, bias=False)
                self.b.weight = self.a.weight
                self.register_buffer("steps", torch.zeros(2), persistent=False)

        recording = record(Net)
        self.assertEqual(recording["format"], "webgpu-init-recording")
        self.assertEqual([e["name"] for e in recording["parameters"]], ["a.weight", "a.bias", "b.weight", "steps"])
        tied, steps = recording["parameters"][2:]
        self.assertEqual(tied["tiedTo"], "a.weight")
        self.assertNotIn("writes", tied)
        self.assertEqual(tied["module"], "torch.nn.modules.linear.Linear")
        self.assertEqual((steps["buffer"], steps["persistent"], steps["writes"]), (True, False, [["fill_", 0]]))
        self.assertEqual([c[1] for c in recording["program"]], ["a.weight", "a.bias", None])

    def test_one_call(self):
        weight = lambda: nn.Linear(8, 4, bias=False)

        def of(init):
            def make():
                module = weight()
                init(module.weight)
                return module

            return record(make)

        got = of(lambda w: nn.init.trunc_normal_(w, std=0.02))
        self.assertEqual(got["program"][1:], [["trunc_normal_", "weight", 32, 0.0, 0.02, -2.0, 2.0]])
        self.assertEqual(self.writes(got)["weight"], [["trunc_normal_", 0.0, 0.02, -2.0, 2.0, {"call": 1}]])
        got = of(lambda w: nn.init.orthogonal_(w, 2))
        self.assertEqual(got["program"][1:], [["orthogonal_", "weight", 32, 2.0, {"rows": 4, "columns": 8}]])
        got = of(lambda w: nn.init.sparse_(w, 0.5))
        self.assertEqual(got["program"][1:], [["sparse_", "weight", 32, 0.5, 0.01, {"rows": 4, "columns": 8}]])
        got = of(lambda w: w.data.copy_(0.02 * torch.randn(4, 8)))
        self.assertEqual(self.writes(got)["weight"], [["randn", 0.0, 1.0, {"call": 1}], ["mul_", 0.02]])

    def test_inversion_is_one_call(self):
        recording = record(plain_models()["own trunc_normal by inversion"])
        calls = [c for c in recording["program"] if c[0] == "trunc_normal_"]
        self.assertEqual(len(calls), 2)
        self.assertEqual(calls[0][3:7], [0.01, 0.05, -0.1, 0.1])
        self.assertEqual(calls[0][7]["method"], "inversion")

    def test_layers_copied_have_one_call(self):
        recording = record(lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3, enable_nested_tensor=False))
        writes = self.writes(recording)
        self.assertEqual(writes["layers.0.linear1.weight"], writes["layers.2.linear1.weight"])

    def test_tables(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a_log = nn.Parameter(torch.log(torch.arange(1.0, 5.0)))
                self.soft = nn.Parameter(torch.randn(5).softmax(0))

        recording = record(Net)
        writes = self.writes(recording)
        self.assertEqual(writes["a_log"], [["table", {"operations": ["aten.log.default"]}]])
        self.assertEqual(writes["soft"], [["table", {"operations": ["aten._softmax.default"], "random": True}]])
        self.assertEqual([(f["kind"], f["parameter"]) for f in recording["findings"]], [("random-table", "soft")])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.safetensors")
            recording = record(Net, values=path, seed=5)
            tables = read_tables(path)
        self.assertEqual(recording["source"]["values"], {"file": "t.safetensors", "seed": 5})
        torch.manual_seed(5)
        real = Net()
        for name in ("a_log", "soft"):
            data = self.writes(recording)[name][0][-1]["data"]
            self.assertTrue(torch.equal(tables[data], getattr(real, name)))

    def test_findings(self):
        import random

        def kinds(make):
            return {f["kind"] for f in record(make)["findings"]}

        class Net(nn.Module):
            def __init__(self, act):
                super().__init__()
                self.weight = nn.Parameter(torch.empty(4))
                act(self)

        self.assertEqual(kinds(lambda: Net(lambda net: None)), {"uninitialised"})
        self.assertEqual(kinds(lambda: Net(lambda net: net.weight.data.fill_(random.random()))), {"python-random"})
        if "numpy" in sys.modules:
            numpy = sys.modules["numpy"]
            self.assertEqual(
                kinds(lambda: Net(lambda net: net.weight.data.copy_(torch.from_numpy(numpy.random.rand(4))))), {"numpy-random"}
            )
        self.assertEqual(kinds(lambda: Net(lambda net: (torch.manual_seed(1), net.weight.data.normal_()))), {"manual-seed"})
        self.assertIn("unknown-draw", kinds(lambda: Net(lambda net: net.weight.data.copy_(torch.poisson(torch.ones(4))))))
        self.assertEqual(kinds(lambda: Net(lambda net: net.weight.data.normal_(generator=torch.Generator()))), {"own-generator"})
        self.assertIn("generator-state", kinds(lambda: Net(lambda net: (torch.default_generator.manual_seed(99), net.weight.data.zero_()))))

    def test_a_loop_on_drawn_values_is_an_error(self):
        class Rejecting(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.randn(4))
                while bool((self.weight.abs() > 1).any()):
                    self.weight.data.normal_()

        with self.assertRaisesRegex(RecordingError, r"_local_scalar_dense.* in .*Rejecting \(test_record.py:\d+\)"):
            record(Rejecting)

    def test_errors(self):
        with self.assertRaisesRegex(RecordingError, "returned Tensor, not a torch.nn.Module"):
            record(lambda: torch.zeros(3))
        with self.assertRaisesRegex(RecordingError, "LazyLinear: a lazy module"):
            record(lambda: nn.LazyLinear(3))

    def test_nothing_is_left_behind(self):
        state = torch.get_rng_state()
        record(lambda: nn.init.orthogonal_(nn.Linear(3, 3).weight) is None or nn.Linear(3, 3))
        self.assertTrue(torch.equal(state, torch.get_rng_state()))
        self.assertTrue(all(not key.startswith("_webgpu_init") for key in vars(nn.init)))
        self.assertTrue(torch.equal(nn.init.orthogonal_(torch.empty(1, 1)).abs(), torch.ones(1, 1)))

    def test_no_memory(self):
        recording = record(lambda: nn.Linear(10**6, 10**7))  # 40 TB
        self.assertEqual(recording["program"][0][2], 10**13)

    def test_command_line(self):
        with tempfile.TemporaryDirectory() as folder:

            def run(*arguments):
                return subprocess.run(
                    [sys.executable, "-W", "ignore", os.path.join(HERE, "record.py"), *arguments],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                )

            with open(os.path.join(folder, "mymodel.py"), "w") as f:
                f.write("import torch\nclass Net(torch.nn.Module):\n    def __init__(self, width):\n        super().__init__()\n")
                f.write("        self.l = torch.nn.Linear(width, 2)\n        self.register_buffer('t', torch.arange(3.).sin())\n")
            got = run("mymodel:Net", "--kwargs", '{"width": 5}', "--values", "t.safetensors", "-o", "net.json")
            self.assertEqual((got.returncode, got.stderr), (0, ""))
            self.assertEqual(got.stdout, "net.json: 2 parameters, 2 calls, 1 tables\n")
            with open(os.path.join(folder, "net.json")) as f:
                recording = json.load(f)
            self.assertEqual(recording["source"]["class"], "mymodel.Net")
            self.assertEqual(list(read_tables(os.path.join(folder, "t.safetensors"))), ["t"])
            got = run("mymodel:Net", "-o", "net.json")
            self.assertEqual(got.returncode, 1)
            self.assertIn("record.py: mymodel:Net: TypeError", got.stderr)
            self.assertEqual(run("-o", "net.json").returncode, 2)

    def test_vectors(self):
        if not os.path.isdir(VECTORS):
            self.skipTest("there are no vectors")
        for file in sorted(os.listdir(VECTORS)):
            if not file.endswith(".json") or file.endswith(".sha256.json"):
                continue
            with self.subTest(file):
                with open(os.path.join(VECTORS, file)) as f:
                    recording = json.load(f)
                with open(os.path.join(VECTORS, file.replace(".json", ".sha256.json"))) as f:
                    hashes = json.load(f)
                if hashes["torch"].split(".")[:2] != str(torch.__version__).split(".")[:2]:
                    self.skipTest(f"made by torch {hashes['torch']}")
                for seed in VECTOR_SEEDS:
                    replay = Replay(recording, seed)
                    self.assertEqual(replay.next, hashes["next"][str(seed)])
                    for name, expected in {**hashes["always"], **hashes["sha256"][str(seed)]}.items():
                        self.assertEqual(sha256(replay.values[name]), expected, f"{name}, seed {seed}")


if __name__ == "__main__":
    if torch is not None and "--table" in sys.argv:
        sys.exit(1 if table(sys.argv[sys.argv.index("--table") + 1 :])["differ"] else 0)
    if torch is not None and "--vectors" in sys.argv:
        write_vectors()
        sys.exit(0)
    unittest.main()
