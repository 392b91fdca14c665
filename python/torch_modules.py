"""Which distribution every class of torch.nn gives its parameters, recorded from PyTorch itself.

Run: python python/torch_modules.py > test/vectors/torch_modules.json
Each module is built under a dispatch mode that records the last random or constant operation on every parameter's memory,
so that the bounds are PyTorch's own numbers and no estimate.
"""

import json
import platform
import sys

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


class Recorder(TorchDispatchMode):
    """Remembers, by address, what was last done to a tensor in place."""

    def __init__(self):
        super().__init__()
        self.last = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        target = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if name == 'uniform_':
            low, high = (list(args[1:]) + [0.0, 1.0][len(args) - 1:])[:2]
            self.note(target, {'kind': 'uniform', 'low': low, 'high': high})
        elif name == 'normal_':
            mean, std = (list(args[1:]) + [0.0, 1.0][len(args) - 1:])[:2]
            self.note(target, {'kind': 'normal', 'mean': mean, 'std': std})
        elif name == 'fill_':
            self.note(target, {'kind': 'constant', 'value': float(args[1])})
        elif name == 'zero_':
            self.note(target, {'kind': 'constant', 'value': 0.0})
        elif name in ('ones', 'zeros', 'full'):
            value = {'ones': 1.0, 'zeros': 0.0}.get(name)
            self.note(out, {'kind': 'constant', 'value': float(args[1]) if value is None else value}, fresh=True)
        elif name == 'empty':
            self.last.pop(out.data_ptr(), None)
        elif name == 'clone' and target.data_ptr() in self.last:
            # nn.TransformerEncoder copies its first layer.
            self.note(out, self.last[target.data_ptr()][1], fresh=True)
        return out

    def note(self, tensor, law, fresh=False):
        # A padding row is a view that begins elsewhere or is smaller: it does not say what the whole tensor is.
        old = self.last.get(tensor.data_ptr())
        if fresh or old is None or tensor.numel() >= old[0]:
            self.last[tensor.data_ptr()] = (tensor.numel(), law)


def modules():
    yield 'Linear', nn.Linear(7, 5)
    yield 'Linear(bias=False)', nn.Linear(7, 5, bias=False)
    yield 'Bilinear', nn.ModuleDict({'bilinear': nn.Bilinear(6, 7, 5)})
    for kind, conv in (('Conv', (nn.Conv1d, nn.Conv2d, nn.Conv3d)),
                       ('ConvTranspose', (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))):
        for cls in conv:
            yield cls.__name__, cls(4, 6, 3)
            yield f'{cls.__name__}(groups=2)', cls(4, 6, 3, groups=2)
    for cls in (nn.LSTM, nn.GRU, nn.RNN):
        yield cls.__name__, cls(6, 9, num_layers=2, bidirectional=True)
    yield 'LSTM(proj_size)', nn.LSTM(6, 400, proj_size=4, num_layers=2)
    for cls in (nn.LSTMCell, nn.GRUCell, nn.RNNCell):
        yield cls.__name__, cls(6, 9)
    yield 'MultiheadAttention', nn.MultiheadAttention(16, 4)
    yield 'MultiheadAttention(kdim, vdim, add_bias_kv)', nn.MultiheadAttention(16, 4, kdim=6, vdim=10, add_bias_kv=True)
    yield 'TransformerEncoderLayer', nn.TransformerEncoderLayer(16, 4, 24)
    yield 'TransformerDecoderLayer', nn.TransformerDecoderLayer(16, 4, 24)
    yield 'Transformer', nn.Transformer(16, 4, 1, 1, 24)
    yield 'Embedding', nn.ModuleDict({'embedding': nn.Embedding(9, 4, padding_idx=2)})
    yield 'EmbeddingBag', nn.ModuleDict({'embed': nn.EmbeddingBag(9, 4)})
    yield 'AdaptiveLogSoftmaxWithLoss', nn.AdaptiveLogSoftmaxWithLoss(16, 40, [10, 20], head_bias=True)
    yield 'PReLU', nn.PReLU()
    yield 'PReLU(num_parameters=8)', nn.ModuleDict({'prelu': nn.PReLU(8)})
    yield 'BatchNorm2d', nn.BatchNorm2d(8)
    yield 'SyncBatchNorm', nn.SyncBatchNorm(8)
    yield 'InstanceNorm2d', nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
    yield 'GroupNorm', nn.GroupNorm(2, 8)
    yield 'LayerNorm', nn.LayerNorm([4, 8])
    yield 'RMSNorm', nn.ModuleDict({'norm': nn.RMSNorm(8)})
    lazy = nn.LazyConv2d(6, 3)
    lazy(torch.zeros(1, 4, 5, 5))
    yield 'LazyConv2d', lazy
    lazy = nn.LazyLinear(5)
    lazy(torch.zeros(1, 7))
    yield 'LazyLinear', lazy


def laws_of(name, module, recorder):
    """Every parameter and buffer of a module: name, shape, distribution, and its sorted numbers as a key."""
    rows = []
    for key, tensor in [*module.named_parameters(), *module.named_buffers()]:
        law = recorder.last.get(tensor.data_ptr())
        flat = tensor.detach().flatten()
        if law is None and not bool((flat == flat[0]).all()):
            if key in dict(module.named_parameters()):
                raise AssertionError(f'{name}: nothing was recorded for {key}')
            continue  # a buffer, such as a mask
        distribution = {'kind': 'constant', 'value': float(flat[0])} if law is None else law[1]
        values = tuple(sorted(flat.tolist()))
        rows.append({'name': key, 'shape': list(tensor.shape), 'distribution': distribution, 'key': values})
    return rows


def record():
    rows = []
    generator = modules()
    while True:
        with Recorder() as recorder:
            item = next(generator, None)
        if item is None:
            return rows
        tensors = [{k: row[k] for k in ('name', 'shape', 'distribution')} for row in laws_of(*item, recorder)]
        rows.append({'module': item[0], 'tensors': tensors})


if __name__ == '__main__':
    json.dump(
        {
            'source': f'PyTorch {torch.__version__}, Python {platform.python_version()}: python/torch_modules.py',
            'modules': record(),
        },
        sys.stdout,
        indent=1,
    )
