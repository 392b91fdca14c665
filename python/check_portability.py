"""Counts the bits in which NumPy, PyTorch and JAX differ from the package's CPU path: rows for the README's table.

    npm run build && python3 python/check_portability.py

The columns are those of scripts/measure-portability.mjs, 4,194,304 elements each, seed 42. Libraries that are not installed are
skipped. The exit code is 1 where one bit differs.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault('JAX_PLATFORMS', 'cpu')

import numpy as np
import webgpu_init

ROOT = Path(__file__).resolve().parent.parent
# Writes every column's bytes, and prints their manifests.
PROGRAM = """
import { writeFileSync } from 'node:fs'
import { initializeTensor } from './dist/index.js'
import { columns, elementCount } from './scripts/measure-portability.mjs'
const manifests = {}
for (const [name, { initializer, dtype }] of Object.entries(columns)) {
  const weights = await initializeTensor([elementCount], initializer, {}, { device: 'cpu', dtype, seed: 42 })
  writeFileSync(`${process.env.FOLDER}/${name}`, await weights.readBytes('tensor'))
  manifests[name] = weights.manifest()
}
console.log(JSON.stringify(manifests))
"""


def make(seed, entry, **more):
    return webgpu_init.tensor(seed, entry['name'], entry['shape'], entry['distribution'], entry['dtype'], **more)


def torch_values(seed, entry):
    import torch

    return make(seed, entry, like=torch.device('cpu')).view(torch.uint8).numpy()


def jax_values(seed, entry):
    import jax

    return np.asarray(jax.jit(lambda zero: make(seed, entry, like=jax, zero=zero))(np.uint32(0)))


LIBRARIES = {'NumPy': ('numpy', make), 'PyTorch, eager': ('torch', torch_values), 'JAX, jit': ('jax', jax_values)}


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ['node', '--input-type=module', '-e', PROGRAM],
            cwd=ROOT, env={**os.environ, 'FOLDER': folder}, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(done.stderr)
        manifests = json.loads(done.stdout)
        print(f'| Python {platform.python_version()} | device | {" | ".join(manifests)} |')
        print(f'| {" | ".join(["---"] * (2 + len(manifests)))} |')
        for title, (module, values) in LIBRARIES.items():
            try:
                version = __import__(module).__version__
            except ImportError:
                print(f'{title} is not installed', file=sys.stderr)
                continue
            cells = []
            for column, manifest in manifests.items():
                (entry,) = manifest['parameters']
                wanted = np.fromfile(Path(folder, column), np.uint8)
                made = np.frombuffer(values(int(manifest['seed']), entry).tobytes(), np.uint8)
                cells.append(int(np.unpackbits(made ^ wanted).sum()))
            wrong += sum(cells)
            print(f'| {title} {version} | CPU, {platform.machine()} | {" | ".join(map(str, cells))} |', flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
