"""One rank of the FSDP2 test in test_webgpu_init.py: torchrun starts it, with the path of a manifest.

A model on the meta device, cut by fully_shard, filled by materialize_, each rank its own rows; then the full tensors, which
only this comparison gathers, against NumPy's.
"""

import os
import sys

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.debug import CommDebugMode

import webgpu_init


class Tied(nn.Module):
    """An embedding whose weight is the head's too, two layers and a norm."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(103, 16)
        self.layers = nn.ModuleList([nn.Linear(16, 5), nn.Linear(5, 16)])
        self.norm = nn.BatchNorm1d(16)
        self.head = nn.Linear(16, 103, bias=False)
        self.head.weight = self.embed.weight


def main():
    dist.init_process_group('gloo')
    with torch.device('meta'):
        model = Tied()
    for layer in model.layers:
        fully_shard(layer)
    fully_shard(model)
    with CommDebugMode() as communication:
        webgpu_init.materialize_(model, sys.argv[1])
    wanted = webgpu_init.state_dict(sys.argv[1])
    differ = compared = 0
    for name, parameter in [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]:
        full = parameter.full_tensor() if hasattr(parameter, 'full_tensor') else parameter
        expected = wanted['embed.weight' if name == 'head.weight' else name]
        compared += 1
        differ += not np.array_equal(full.detach().numpy(), expected)
    tied = model.head.weight is model.embed.weight
    rows = model.layers[0].weight.to_local().shape[0]
    print(f'rank {dist.get_rank()}: {differ} of {compared} differ, tied {tied}, rows {rows}, '
          f'collectives {communication.get_total_counts()}')  # fmt: skip
    # gloo's threads may abort an interpreter that exits in the usual way, after all is done.
    dist.barrier()
    sys.stdout.flush()
    os._exit(0 if differ == 0 else 1)


if __name__ == '__main__':
    main()
