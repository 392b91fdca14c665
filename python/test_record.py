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
        return (view(flat, options["source"]) if "source" in options else flat).reshape(shape)

    def built(self, entry):
        shape, final = entry["shape"], getattr(torch, entry["dtype"])
        count = math.prod(shape)
        flat = torch.zeros(count, dtype=final)
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
    out = {"seconds": time.time() - began, "recording": recording, "differ": [], "equal": 0, "tables": 0, "unknown": [], "end": True, "same": True}
    tables = {}
    if values:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tables.safetensors")
            again = record(make, values=path, seed=seeds[0])
            tables = read_tables(path)
        out["same"] = without_data(again) == without_data(recording)
        recording = again if out["same"] else recording
    depends = {
        entry["name"]
        for entry in recording["parameters"]
        if any(row[0] == "table" and row[-1].get("random") for row in entry.get("writes", []))
    }
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

    small = lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4))  # noqa: E731
    block = lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)  # noqa: E731
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
        "nn MultiheadAttention": lambda: nn.ModuleList([nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2, kdim=6, vdim=4, add_bias_kv=True)]),
        "nn TransformerEncoder": block,
        "nn Transformer": lambda: nn.Transformer(8, 2, 1, 2, 16),
        "nn Bilinear PReLU": lambda: nn.ModuleList([nn.Bilinear(3, 4, 5), nn.PReLU(4), nn.GroupNorm(2, 4), nn.LayerNorm(6), nn.RMSNorm(6)]),
        "nn ConvTranspose Conv1d Conv3d": lambda: nn.ModuleList([nn.ConvTranspose2d(4, 6, 3, groups=2), nn.Conv1d(4, 8, 5), nn.Conv3d(2, 4, 3, bias=False)]),
        "nn weight_norm": lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(30, 20)), nn.utils.parametrizations.weight_norm(nn.Conv1d(8, 6, 5), dim=2)),
        "nn weight_norm old": lambda: nn.utils.weight_norm(nn.Conv2d(4, 6, 3)),
        "nn spectral_norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(30, 20)),
        "nn AdaptiveLogSoftmax": lambda: nn.AdaptiveLogSoftmaxWithLoss(16, 40, [10, 20]),
        "own Mixed": Mixed,
        "own Tied": Tied,
        "own Seeded": Seeded,
        "own Layout": Layout,
        "own kaiming": lambda: applied(small(), lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
        "own xavier": lambda: applied(small(), lambda w: nn.init.xavier_uniform_(w, gain=nn.init.calculate_gain("tanh"))),
        "own orthogonal": lambda: applied(small(), lambda w: nn.init.orthogonal_(w, math.sqrt(2))),
        "own trunc_normal": lambda: applied(small(), lambda w: nn.init.trunc_normal_(w, std=0.02)),
        "own trunc_normal far": lambda: applied(small(), lambda w: nn.init.trunc_normal_(w, std=0.5, a=0.6, b=1)),
        "own trunc_normal by inversion": lambda: applied(small(), lambda w: inverted(w, 0.01, 0.05, -0.1, 0.1)),
        "own trunc_normal bfloat16": lambda: applied(nn.Sequential(nn.Linear(40, 30, dtype=torch.bfloat16)), lambda w: nn.init.trunc_normal_(w, std=0.7)),
    }


def torchvision_models():
    with lenient_torchvision():
        from torchvision import models
    names = """resnet18 resnet50 resnext50_32x4d wide_resnet50_2 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0
        efficientnet_v2_s convnext_tiny swin_t swin_v2_t vit_b_32 densenet121 alexnet squeezenet1_1 shufflenet_v2_x0_5 mnasnet0_5 googlenet
        inception_v3 regnet_y_400mf regnet_x_400mf maxvit_t vgg11_bn""".split()
    out = {f"torchvision {n}": (lambda n=n: getattr(models, n)(**({"init_weights": True} if n in ("googlenet", "inception_v3") else {}))) for n in names}
    out["torchvision resnet50 zero_init_residual"] = lambda: models.resnet50(zero_init_residual=True)
    out["torchvision fcn_resnet50"] = lambda: models.segmentation.fcn_resnet50(weights=None, weights_backbone=None)
    out["torchvision deeplabv3_mobilenet_v3"] = lambda: models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)
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
    "gpt2 float16": ("gpt2", "GPT2LMHeadModel", {"n_embd": 36, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64, "dtype": "float16"}),
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
    "bart": ("bart", "BartForConditionalGeneration", {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "vocab_size": 99, "max_position_embeddings": 64}),  # fmt: skip
    "whisper": ("whisper", "WhisperForConditionalGeneration", {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "vocab_size": 99, "num_mel_bins": 8, "max_source_positions": 30, "max_target_positions": 20, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}),  # fmt: skip
    "wav2vec2": ("wav2vec2", "Wav2Vec2ForCTC", {**SMALL, "conv_dim": [16, 16], "conv_kernel": [5, 3], "conv_stride": [2, 2], "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4}),  # fmt: skip
    "clip": ("clip", "CLIPModel", {"text_config": TEXT, "vision_config": IMAGE, "projection_dim": 16}),
    "siglip": ("siglip", "SiglipModel", {"text_config": {**TEXT, "projection_size": 32}, "vision_config": IMAGE}),
    "vit": ("vit", "ViTForImageClassification", IMAGE),
    "vit float16": ("vit", "ViTForImageClassification", {**IMAGE, "dtype": "float16"}),
    "deit": ("deit", "DeiTForImageClassification", IMAGE),
    "beit": ("beit", "BeitForImageClassification", {**IMAGE, "use_relative_position_bias": True}),
    "dinov2": ("dinov2", "Dinov2Model", IMAGE),
    "vit_mae": ("vit_mae", "ViTMAEForPreTraining", {**IMAGE, "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 24}),  # fmt: skip
    "swin": ("swin", "SwinForImageClassification", {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 2], "window_size": 4}),
    "convnext": ("convnext", "ConvNextForImageClassification", {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2}),
    "convnextv2": ("convnextv2", "ConvNextV2ForImageClassification", {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2}),
    "resnet": ("resnet", "ResNetForImageClassification", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}),
    "segformer": ("segformer", "SegformerForSemanticSegmentation", {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2], "decoder_hidden_size": 16}),
    "detr encoder (table transformer)": ("mobilevit", "MobileViTForImageClassification", {"image_size": 64, "hidden_sizes": [16, 16, 16], "neck_hidden_sizes": [8, 8, 8, 8, 8, 8, 16], "num_attention_heads": 4}),
    "layoutlm": ("layoutlm", "LayoutLMForMaskedLM", TEXT),
    "longformer": ("longformer", "LongformerForMaskedLM", {**TEXT, "attention_window": 8}),
    "blip": ("blip", "BlipModel", {"text_config": {**TEXT, "encoder_hidden_size": 32, "projection_dim": 16}, "vision_config": IMAGE, "projection_dim": 16, "image_text_hidden_size": 16}),
    "llava": ("llava", "LlavaForConditionalGeneration", {"text_config": {"model_type": "llama", **TEXT, **KV}, "vision_config": {"model_type": "clip_vision_model", **IMAGE}, "image_token_index": 98}),
    "hubert": ("hubert", "HubertForCTC", {**SMALL, "conv_dim": [16, 16], "conv_kernel": [5, 3], "conv_stride": [2, 2], "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4}),
    "perceiver": ("perceiver", "PerceiverForMaskedLM", {"d_model": 32, "d_latents": 32, "num_latents": 8, "num_blocks": 1, "num_self_attends_per_block": 2, "num_self_attention_heads": 4, "num_cross_attention_heads": 4, "vocab_size": 99, "max_position_embeddings": 32}),
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
    print("| model | parameters and buffers | calls | dropped | tables | tables that depend on the seed | equal | differ | same end | real = without memory | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for group, models in groups().items():
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
            print(f"| {name} | {len(recording['parameters'])} | {len(recording['program'])} | {dropped} | {len(rows)} | {depends} | {got['equal']} | {len(got['differ'])} | {got['end']} | {got['same']} | {got['seconds']:.2f} |", flush=True)
            for problem in got["differ"][:5] + sorted(set(got["unknown"]))[:5]:
                print(f"    {problem}")
            for finding in recording["findings"][:4]:
                print(f"    {finding['kind']}: {finding['message']}")
    print(json.dumps(totals))
    return totals


if __name__ == "__main__" and "--table" in sys.argv:
    sys.exit(1 if table(sys.argv[sys.argv.index("--table") + 1 :])["differ"] else 0)
