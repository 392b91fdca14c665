# Runs one operation of PyTorch on the CPU per line of stdin, "name elements threads", and answers with one line of JSON:
# milliseconds, mean and standard deviation of what was made. Started by bench/torch.mjs.
import json
import sys
import time

import torch

tensors = {}


def tensor(count):
    if count not in tensors:
        tensors[count] = torch.ones(count)
    return tensors[count]


def orthogonal_input(count):
    side = int(count**0.5)
    return tensor(count).normal_().view(side, side)


operations = {
    "normal_": lambda t: t.normal_(0, 0.02),
    "uniform_": lambda t: t.uniform_(0, 1),
    "trunc_normal_": lambda t: torch.nn.init.trunc_normal_(t, 0, 0.02, -0.04, 0.04),
    "linalg.qr": lambda t: torch.linalg.qr(t)[0],
    "orthogonal_": torch.nn.init.orthogonal_,
}

print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    name, count, threads = line.split()
    torch.set_num_threads(int(threads))
    value = orthogonal_input(int(count)) if name in ("linalg.qr", "orthogonal_") else tensor(int(count))
    began = time.perf_counter()
    result = operations[name](value)
    elapsed = (time.perf_counter() - began) * 1000
    answer = {"milliseconds": elapsed, "mean": result.mean().item(), "std": result.std().item()}
    print(json.dumps(answer), flush=True)
