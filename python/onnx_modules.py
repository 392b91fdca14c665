"""PyTorch modules exported to ONNX, with the distribution that PyTorch gave each tensor of the file.

Run: python python/onnx_modules.py test/vectors/onnx_modules.json
Every module is exported by the TorchScript exporter and by torch.export's, at several opsets. Which parameter an initializer
is, perhaps transposed, folded or with its gates in another order, is found by its numbers; long data is then dropped.
"""

import base64
import io
import itertools
import json
import sys
import warnings

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from torch_modules import Recorder, laws_of

warnings.filterwarnings('ignore')


class Attention(nn.Module):
    """Scaled products with a causal mask that is a buffer."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.proj = nn.Linear(16, 16)
        self.register_buffer('mask', torch.full((6, 6), float('-inf')).triu(1))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.proj((q @ k.transpose(-1, -2) / 4 + self.mask).softmax(-1) @ v)


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.linear = nn.Linear(4, 7)

    def forward(self, x):
        return self.linear(self.embedding(x))


def modules():
    seq = nn.Sequential
    x2, x3 = torch.randn(5, 10), torch.randn(2, 5, 10)
    yield 'Linear on two axes', lambda: seq(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3)), x2
    yield 'Linear on three axes', lambda: seq(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3)), x3
    yield 'Linear with one output', lambda: seq(nn.Linear(10, 1)), x3
    yield 'Linear without bias', lambda: seq(nn.Linear(10, 6, bias=False), nn.Tanh(), nn.Linear(6, 2, bias=False)), x3
    yield 'Conv1d', lambda: seq(nn.Conv1d(10, 6, 3), nn.ReLU(), nn.Conv1d(6, 6, 1, groups=3)), torch.randn(2, 10, 9)
    yield 'Conv2d and BatchNorm2d', lambda: seq(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)).train(), torch.randn(2, 3, 8, 8)
    yield 'Conv3d', lambda: seq(nn.Conv3d(2, 4, 3)), torch.randn(1, 2, 5, 5, 5)
    yield 'ConvTranspose1d', lambda: seq(nn.ConvTranspose1d(4, 6, 3)), torch.randn(1, 4, 5)
    yield 'ConvTranspose2d', lambda: seq(nn.ConvTranspose2d(4, 6, 3, groups=2)), torch.randn(1, 4, 5, 5)
    yield 'LayerNorm', lambda: seq(nn.Linear(10, 8), nn.LayerNorm(8)), x3
    yield 'LayerNorm over two axes', lambda: seq(nn.LayerNorm([5, 10])), x3
    yield 'RMSNorm', lambda: seq(nn.Linear(10, 8), nn.RMSNorm(8)), x3
    yield 'GroupNorm', lambda: seq(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8)), torch.randn(1, 3, 6, 6)
    yield 'InstanceNorm2d', lambda: seq(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, affine=True)), torch.randn(1, 3, 6, 6)
    yield 'PReLU', lambda: seq(nn.Conv2d(3, 8, 3), nn.PReLU(8), nn.PReLU()), torch.randn(1, 3, 6, 6)
    yield 'LSTM', lambda: Recurrent(nn.LSTM(6, 5)), torch.randn(4, 2, 6)
    yield 'LSTM, two layers, both directions', lambda: Recurrent(nn.LSTM(6, 5, 2, bidirectional=True)), torch.randn(4, 2, 6)
    yield 'GRU', lambda: Recurrent(nn.GRU(6, 5, batch_first=True)), torch.randn(4, 2, 6)
    yield 'RNN', lambda: Recurrent(nn.RNN(6, 5)), torch.randn(4, 2, 6)
    yield 'Embedding', lambda: Tied(), torch.tensor([[1, 2], [3, 4]])
    yield 'attention with a mask', lambda: Attention(), torch.randn(2, 6, 16)
    yield 'MultiheadAttention', lambda: SelfAttention(), torch.randn(2, 6, 16)
    yield 'TransformerEncoderLayer', lambda: nn.TransformerEncoderLayer(16, 4, 24, batch_first=True), torch.randn(2, 6, 16)
    yield 'Linear and GELU', lambda: seq(nn.Linear(10, 12), nn.GELU(), nn.Linear(12, 10)), x3
    yield 'Conv2d, ReLU, flatten, Linear', lambda: seq(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)), torch.randn(2, 3, 6, 6)


def key(tensor):
    return tuple(sorted(tensor.detach().flatten().tolist()))


def floats_of(graph):
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == 'Constant' and attribute.name == 'value':
                yield node.output[0], attribute.t
            if attribute.HasField('g'):
                yield from floats_of(attribute.g)


def drop(tensor):
    if len(tensor.raw_data) > 256:
        tensor.raw_data = b''


def export(module, example, exporter, opset):
    if exporter == 'dynamo':
        return torch.onnx.export(module, (example,), opset_version=opset, dynamo=True, verbose=False).model_proto
    buffer = io.BytesIO()
    training = torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(module, (example,), buffer, opset_version=opset, dynamo=False, training=training)
    return onnx.load_from_string(buffer.getvalue())


def main():
    rows = []
    for name, make, example in modules():
        with Recorder() as recorder:
            torch.manual_seed(0)
            module = make()
        laws = laws_of(name, module, recorder)
        if not isinstance(module, nn.Sequential) or not any(isinstance(m, nn.BatchNorm2d) for m in module):
            module.eval()
        known = {}
        for parameter in laws:
            known.setdefault(parameter['key'], parameter['distribution'])
        # The exporters stack both directions of a recurrent layer, and both of its biases.
        gates = [p for p in laws if '_ih_l' in p['name'] or '_hh_l' in p['name']]
        for count in (2, 4):
            for parts in itertools.combinations(gates, count):
                joined = tuple(sorted(sum((part['key'] for part in parts), ())))
                known.setdefault(joined, parts[0]['distribution'])
        # A batch norm that is folded into the convolution before it changes the numbers and leaves the name.
        by_name = {(p['name'], tuple(p['shape'])): p['distribution'] for p in laws}
        for exporter, opset in (('TorchScript', 11), ('TorchScript', 14), ('TorchScript', 17), ('dynamo', 18), ('dynamo', 21)):
            try:
                model = export(module, example, exporter, opset)
            except Exception as error:  # an operator that this opset does not have
                print(f'{name}, {exporter} {opset}: {str(error).splitlines()[0][:90]}', file=sys.stderr)
                continue
            tensors = {}
            for tensor_name, tensor in floats_of(model.graph):
                if tensor.data_type == onnx.TensorProto.FLOAT:
                    values = torch.tensor(numpy_helper.to_array(tensor))
                    if values.numel() == 0:
                        continue
                    law = known.get(key(values)) or by_name.get((tensor_name, tuple(values.shape)))
                    if law is not None:
                        tensors[tensor_name] = law
                drop(tensor)
            model.ClearField('metadata_props')
            model.graph.ClearField('value_info')
            for node in model.graph.node:
                node.ClearField('metadata_props')
                node.ClearField('doc_string')
            rows.append({
                'module': name,
                'exporter': f'{exporter}, opset {opset}',
                'tensors': tensors,
                'file': base64.b64encode(model.SerializeToString()).decode(),
            })
    source = f'PyTorch {torch.__version__}, onnx {onnx.__version__}: python/onnx_modules.py'
    # To a file, since the exporters print.
    with open(sys.argv[1], 'w') as file:
        json.dump({'source': source, 'exports': rows}, file, indent=1)


main()
