"""Tests of webgpu_init.py: python3 -m unittest, from this folder or from anywhere. NumPy is enough; cases of PyTorch, JAX
and transformers are skipped, with a reason, where these are not installed.
"""

import base64
import copy
import doctest
import hashlib
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
# Before JAX is imported: four devices, to shard over.
os.environ.setdefault('XLA_FLAGS', '--xla_force_host_platform_device_count=4')
os.environ.setdefault('JAX_PLATFORMS', 'cpu')

import numpy as np  # noqa: E402

import webgpu_init  # noqa: E402

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None
try:
    import torchvision  # noqa: F401
except Exception:  # One that does not fit PyTorch raises RuntimeError, and would stop transformers.
    sys.modules['torchvision'] = None
try:
    import transformers

    transformers.LlamaConfig, transformers.GPT2LMHeadModel  # noqa: B018
except ImportError:
    transformers = None

needs_torch = unittest.skipIf(torch is None, 'PyTorch is not installed')
needs_jax = unittest.skipIf(jax is None, 'JAX is not installed')
needs_transformers = unittest.skipIf(torch is None or transformers is None, 'transformers is not installed')

VECTORS = HERE.parent / 'test' / 'vectors'
FILE = json.loads((VECTORS / 'python_init.json').read_text())
GOLDEN = json.loads((VECTORS / 'contract_v1.json').read_text())['sha256']
NORMAL = {'kind': 'normal', 'mean': 0, 'std': 1}


def load_tests(_loader, tests, _pattern):
    tests.addTests(doctest.DocTestSuite(webgpu_init))
    tests.addTests(doctest.DocFileSuite(str(HERE.parent / 'docs' / 'python-api.md'), module_relative=False))
    return tests


def to_bytes(array):
    """Little-endian bytes of an array of any library."""
    if torch is not None and isinstance(array, torch.Tensor):
        return array.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    array = np.asarray(array)
    # ml_dtypes' bfloat16 has no byte order to ask for.
    return array.tobytes() if sys.byteorder == 'little' else array.astype(array.dtype.newbyteorder('<')).tobytes()


def sha256(array):
    return hashlib.sha256(to_bytes(array)).hexdigest()


def make(spec, like=None):
    seed, name, shape, distribution, dtype, start, stop, padding, _ = spec
    return webgpu_init.tensor(int(seed), name, shape, distribution, dtype, start, stop, padding=padding, like=like)


def entry(name, shape, distribution, dtype='float32', **more):
    return {'name': name, 'shape': shape, 'dtype': dtype, 'role': 'weight', 'initializer': 'x', 'config': {},
            'distribution': distribution, **more}  # fmt: skip


def manifest_of(*entries, seed='42'):
    return {'format': 'webgpu-init-manifest', 'version': 1, 'valueContract': 1, 'generator': 'philox', 'seed': seed,
            'parameters': list(entries)}  # fmt: skip


def nearest_float32(x):
    """The float32 nearest to x 2^-63, ties to even, from integers."""
    drop = max(0, x.bit_length() - 24)
    kept, rest = x >> drop, x & ((1 << drop) - 1)
    half = (1 << drop) >> 1
    kept += rest > half or (rest == half and drop > 0 and kept & 1)
    return math.ldexp(float(kept), drop - 63)


def check_distances(case, backend):
    """`_distance_to_half` near 1/2, far from it and in the middle of two floats, for every kind of shift."""
    rng = random.Random(5)
    for shift in (0, 1, 7, 31, 32, 33, 57):
        # A shift comes with p < 2^-shift: x = 2^63 (1 - 2 p) reaches down to 0 without one only.
        numbers = {1, 2, (1 << 63) - 1}
        for bits in range(1, 64):
            for _ in range(4):
                # 24 bits that stay, and a rest of a half, or one more or less.
                leading = rng.getrandbits(24) | 1 << 23
                tie = (2 * leading + 1) << (bits - 25) if bits > 24 else leading >> (24 - bits)
                numbers |= {tie - 1, tie, tie + 1, rng.getrandbits(bits), (1 << 63) - rng.getrandbits(bits)}
                numbers |= {(1 << 63) - (tie + more) for more in (-1, 0, 1)}
        # What the shift takes off the end does not count.
        stored = {x: ((1 << 63) - x) << shift | rng.getrandbits(shift) for x in sorted(numbers) if 0 < x < 1 << 63}
        stored = {x: p for x, p in stored.items() if p < 1 << 64}
        case.assertGreater(len(stored), 20)
        constants = {'shift': shift % 32, 'less_than_a_word': 0xFFFFFFFF if shift < 32 else 0}
        high, low = (np.array([p >> end & 0xFFFFFFFF for p in stored.values()], np.uint32) for end in (32, 0))
        if backend.name == 'jax':
            made = jax.jit(lambda zero, c, h, l: webgpu_init._distance_to_half(webgpu_init._Jax(zero), c, h, l))(
                np.uint32(0), {name: np.uint32(value) for name, value in constants.items()}, high, low
            )
        else:
            words = (x if backend.name == 'numpy' else backend.words(x) for x in (high, low))
            made = webgpu_init._distance_to_half(backend, constants, *words)
        case.assertEqual(np.asarray(made).tolist(), [nearest_float32(x) for x in stored])


def golden_cases():
    for case, wanted in GOLDEN.items():
        distribution, dtype, _, seed = case.rsplit(' ', 3)
        if dtype not in webgpu_init._FLOATS:
            continue
        yield (
            case,
            wanted,
            [seed, 'layers.0.weight', [1001, 37], FILE['contractDistributions'][distribution], dtype, None, None, None, wanted],
        )


class Values(unittest.TestCase):
    def test_streams_of_the_contract(self):
        text = (HERE.parent / 'docs' / 'value-contract.md').read_text(encoding='utf-8')
        rows = re.findall(r'^\| `([^`]*)` +\| (\d+) +\| `0x([0-9a-f]{16})` \| `0x([0-9a-f]{16})` \|$', text, re.M)
        self.assertGreaterEqual(len(rows), 3)
        for name, seed, key, counter in rows:
            stream = webgpu_init._parameter_stream(name, int(seed))
            self.assertEqual((stream.key, stream.counter), (int(key, 16), int(counter, 16)))

    def test_golden_hashes(self):
        # All but those in float8, which this module refuses.
        self.assertEqual(sum('float8' not in case for case in GOLDEN), 126)
        self.assertEqual(len(list(golden_cases())), 126)
        for case, wanted, spec in golden_cases():
            with self.subTest(case):
                self.assertEqual(sha256(make(spec)), wanted)

    def test_a_thousand_specs(self):
        self.assertEqual(len(FILE['specs']), 1000)
        for spec in FILE['specs']:
            with self.subTest(spec):
                self.assertEqual(sha256(make(spec)), spec[-1])

    def test_distance_to_half(self):
        check_distances(self, webgpu_init._Numpy())

    def test_elements_beyond_32_bits(self):
        for spec in FILE['far']:
            with self.subTest(spec):
                self.assertEqual(sha256(make(spec)), spec[-1])

    def test_parts_of_manifests(self):
        for part in FILE['parts']:
            (array,) = webgpu_init.state_dict(part['manifest']).values()
            with self.subTest(part['manifest']['parameters'][0]):
                self.assertEqual(sha256(array), part['sha256'])

    def test_small_models(self):
        for name, model in FILE['models'].items():
            arrays = webgpu_init.state_dict(model['manifest'])
            self.assertEqual(list(arrays), list(model['sha256']), name)
            for key, array in arrays.items():
                with self.subTest(f'{name} {key}'):
                    self.assertEqual(sha256(array), model['sha256'][key])

    def test_orthogonal_within_its_bound(self):
        for seed, name, shape, distribution, data in FILE['orthogonal']:
            wanted = np.frombuffer(base64.b64decode(data), '<f4').reshape(shape)
            made = webgpu_init.tensor(int(seed), name, shape, distribution)
            with self.subTest(distribution):
                self.assertLessEqual(np.abs(made - wanted).max() / abs(distribution['gain']), 2e-5)
                self.assertTrue(((made == 0) == (wanted == 0)).all())
                count = made.size
                part = webgpu_init.tensor(int(seed), name, shape, distribution, start=count // 3, stop=count - 1)
                self.assertTrue((part == made.reshape(-1)[count // 3 : count - 1]).all())

    def test_long_runs_and_many_runs(self):
        """Pieces within a chunk, chunks within a run, and rows that begin within a block."""
        rng = random.Random(1)
        for shape in ((3, 70001), (70001, 3), (301, 7, 101), (5, 5, 5, 5, 5)):
            spec = webgpu_init._spec('w', shape, NORMAL, 'float32', None, webgpu_init._parameter_stream('w', 3), 'w')
            whole = webgpu_init.tensor(3, 'w', shape, NORMAL)
            for _ in range(8):
                lists = []
                for n in shape:
                    a, b = sorted(rng.sample(range(n + 1), 2))
                    lists.append(rng.choice([range(a, b), range(n), np.array(sorted(rng.sample(range(n), min(n, 9))))]))
                region = webgpu_init._Region(shape, tuple(lists))
                made = webgpu_init._fill(webgpu_init._Numpy(), spec, region).reshape(region.shape)
                self.assertTrue(np.array_equal(made, whole[np.ix_(*lists)]))

    def test_overlays_of_any_region(self):
        rng = random.Random(2)
        runs = [{'first': 3, 'stride': 14, 'count': 12}, {'first': 1, 'stride': 2, 'count': 30}]
        distribution = {'kind': 'diagonal', 'value': 2, 'elementCount': 216, 'runs': runs}
        padding = {'first': 50, 'count': 40}
        spec = webgpu_init._spec('w', (6, 6, 6), distribution, 'float32', padding, webgpu_init._Stream(0, 0), 'w')
        whole = webgpu_init.tensor(0, 'w', (6, 6, 6), distribution, padding=padding)
        for _ in range(50):
            lists = tuple(np.array(sorted(rng.sample(range(6), rng.randint(1, 6)))) for _ in range(3))
            region = webgpu_init._Region((6, 6, 6), lists)
            made = webgpu_init._fill(webgpu_init._Numpy(), spec, region).reshape(region.shape)
            self.assertTrue(np.array_equal(made, whole[np.ix_(*lists)]))

    def test_bfloat16_without_ml_dtypes(self):
        had = sys.modules.get('ml_dtypes')
        sys.modules['ml_dtypes'] = None
        try:
            bits = webgpu_init.tensor(1, 'w', (8,), NORMAL, 'bfloat16')
        finally:
            if had is None:
                del sys.modules['ml_dtypes']
            else:
                sys.modules['ml_dtypes'] = had
        self.assertEqual(bits.dtype, np.uint16)
        values = (bits.astype(np.uint32) << 16).view(np.float32)
        self.assertLess(np.abs(values - webgpu_init.tensor(1, 'w', (8,), NORMAL)).max(), 0.01)

    def test_shapes_of_results(self):
        self.assertEqual(webgpu_init.tensor(1, 'w', (), NORMAL).shape, ())
        self.assertEqual(webgpu_init.tensor(1, 'w', (4, 5), NORMAL, start=7).shape, (13,))
        self.assertEqual(webgpu_init.tensor(1, 'w', (4, 5), NORMAL, start=7, stop=7).shape, (0,))
        self.assertEqual(webgpu_init.tensor(np.int64(1), 'w', (np.int64(4),), NORMAL).tolist(),
                         webgpu_init.tensor(1, 'w', [4], NORMAL).tolist())  # fmt: skip

    def test_distributions_without_spread_are_constants(self):
        for distribution, value in (
            ({'kind': 'normal', 'mean': 3, 'std': 0}, 3),
            ({'kind': 'uniform', 'low': 2, 'high': 2}, 2),
            ({'kind': 'sparse', 'std': 1, 'rows': 2, 'columns': 2, 'zeros': 2}, 0),
        ):
            self.assertEqual(webgpu_init.tensor(1, 'w', (2, 2), distribution).tolist(), [[value] * 2] * 2)


class Arguments(unittest.TestCase):
    def refused(self, pattern, *args, **more):
        with self.assertRaisesRegex(ValueError, pattern):
            webgpu_init.tensor(*args, **more)

    def test_mistakes(self):
        self.refused('"w".*seed must be an integer', 1.5, 'w', (2,), NORMAL)
        self.refused('"w".*seed must be an integer', True, 'w', (2,), NORMAL)
        self.refused('name must be', 1, '', (2,), NORMAL)
        self.refused('"w".*dimension 1', 1, 'w', (2, 0), NORMAL)
        self.refused('"w".*dimension 0', 1, 'w', (2.0,), NORMAL)
        self.refused(r'"w".*2\^53', 1, 'w', (2**30, 2**30), NORMAL)
        self.refused('"w".*unknown dtype "float8"', 1, 'w', (2,), NORMAL, 'float8')
        self.refused('"w".*takes no random values', 1, 'w', (2,), NORMAL, 'int64')
        self.refused('"w".*unknown distribution', 1, 'w', (2,), {'kind': 'cauchy'})
        self.refused('"w".*unknown distribution', 1, 'w', (2,), None)
        self.refused('"w".*unknown key "sd"', 1, 'w', (2,), {**NORMAL, 'sd': 1})
        self.refused('"w".*has no "std"', 1, 'w', (2,), {'kind': 'normal', 'mean': 0})
        self.refused('"w".*mean must be a finite', 1, 'w', (2,), {**NORMAL, 'mean': float('nan')})
        self.refused('"w".*mean must be a finite', 1, 'w', (2,), {**NORMAL, 'mean': 10**400})
        self.refused('"w".*overflows float16', 1, 'w', (2,), {**NORMAL, 'std': 1e5}, 'float16')
        self.refused('"w".*too small', 1, 'w', (2,), {**NORMAL, 'std': 1e-30})
        self.refused('"w".*from=2', 1, 'w', (2,), {'kind': 'uniform', 'low': 2, 'high': 1})
        self.refused('"w".*is empty', 1, 'w', (2,), {'kind': 'truncated-normal', 'mean': 0, 'std': 1, 'low': 2, 'high': 1})
        self.refused('"w".*8.5 std', 1, 'w', (2,), {'kind': 'truncated-normal', 'mean': 0, 'std': 1, 'low': 9, 'high': 10})
        self.refused('"w".*are not its', 1, 'w', (2, 3), {'kind': 'sparse', 'std': 1, 'rows': 2, 'columns': 2, 'zeros': 1})
        self.refused('"w".*stop', 1, 'w', (2,), NORMAL, stop=3)
        self.refused('"w".*start', 1, 'w', (2,), NORMAL, start=-1)
        self.refused('"w".*behind stop', 1, 'w', (2,), NORMAL, start=2, stop=1)
        self.refused('names no array library', 1, 'w', (2,), NORMAL, like='cupy')
        self.refused('"w".*no range', 1, 'w', (2,), NORMAL, padding={'first': 1, 'count': 2})
        self.refused('"w".*sampler of its own', 1, 'w', (2,), {'kind': 'custom'})


class Manifests(unittest.TestCase):
    def setUp(self):
        self.good = manifest_of(
            entry('a.weight', [4, 3], NORMAL, padding={'first': 3, 'count': 3}),
            entry('a.tied', [4, 3], NORMAL, tiedTo='a.weight'),
            entry('b', [2, 2], {'kind': 'diagonal', 'value': 1, 'elementCount': 4,
                                'runs': [{'first': 0, 'stride': 3, 'count': 2}]}, 'int64'),
            entry('c', [2, 3], {'kind': 'uniform', 'low': -1, 'high': 1}, 'float16',
                  part={'fullShape': [5, 3], 'start': [1, 0], 'end': [3, 3]}),
        )  # fmt: skip

    def refused(self, change, pattern):
        manifest = copy.deepcopy(self.good)
        change(manifest)
        with self.assertRaisesRegex(ValueError, pattern):
            webgpu_init.state_dict(manifest)

    def test_values_ties_and_parts(self):
        arrays = webgpu_init.state_dict(self.good)
        self.assertEqual(list(arrays), ['a.weight', 'a.tied', 'b', 'c'])
        self.assertIs(arrays['a.weight'], arrays['a.tied'])
        self.assertEqual(arrays['a.weight'][1].tolist(), [0, 0, 0])
        self.assertEqual(arrays['b'].tolist(), [[1, 0], [0, 1]])
        whole = webgpu_init.tensor(42, 'c', (5, 3), {'kind': 'uniform', 'low': -1, 'high': 1}, 'float16')
        self.assertTrue(np.array_equal(arrays['c'], whole[1:3]))
        self.assertEqual(list(webgpu_init.state_dict(self.good, only=['b'])), ['b'])

    def test_mistakes(self):
        def set_of(index, **values):
            return lambda m: m['parameters'][index].update(values)

        self.refused(lambda m: m.update(generator='torch-cpu'), '"torch-cpu" follows another library')
        self.refused(lambda m: m.update(format='x'), 'format must be')
        self.refused(lambda m: m.update(version=2), 'version 2')
        self.refused(lambda m: m.update(valueContract=2), 'contract 2')
        self.refused(lambda m: m.update(seed='1x'), 'seed must be')
        self.refused(lambda m: m.update(seed=1.5), 'seed must be')
        self.refused(lambda m: m.update(parameters=[]), 'list that is not empty')
        self.refused(lambda m: m.update(more=1), 'unknown key "more"')
        self.refused(lambda m: m['parameters'].append(m['parameters'][0]), 'two parameters are called "a.weight"')
        self.refused(lambda m: m['parameters'].append(3), r'parameters\[4\] must be an object')
        self.refused(set_of(0, name=3), r'parameters\[0\]: name')
        self.refused(set_of(0, shape=[4, -3]), '"a.weight".*dimension 1')
        self.refused(set_of(0, shape='43'), '"a.weight".*shape must be')
        self.refused(set_of(0, dtype='float64'), '"a.weight".*unknown dtype')
        self.refused(set_of(0, scale=2), '"a.weight".*unknown key "scale"')
        self.refused(set_of(0, generatorSource={'generator': 'jax'}), '"a.weight".*no generatorSource')
        self.refused(set_of(0, padding={'first': 11, 'count': 2}), '"a.weight".*padding')
        self.refused(set_of(0, stream={'key': '1', 'counter': '2'}), '"a.weight".*not that of its name')
        self.refused(set_of(1, tiedTo='c'), '"a.tied" is tied to "c", which has another')
        self.refused(set_of(1, tiedTo='z'), '"a.tied" is tied to "z"')
        self.refused(lambda m: m['parameters'][2]['distribution'].update(elementCount=5), '"b".*no diagonal')
        self.refused(lambda m: m['parameters'][2]['distribution']['runs'][0].update(count=3), '"b".*the run')
        self.refused(lambda m: m['parameters'][2]['distribution']['runs'][0].update(stride=0), '"b".*the run')
        self.refused(lambda m: m['parameters'][3]['part'].update(end=[4, 3]), '"c".*the part has shape')
        self.refused(lambda m: m['parameters'][3]['part'].update(end=[9, 3]), '"c".*part.end')
        for nothing in (None, 3, [], 'no such file'):
            with self.assertRaises((ValueError, OSError)):
                webgpu_init.state_dict(nothing)
        with self.assertRaisesRegex(ValueError, '"d" is not in the manifest'):
            webgpu_init.state_dict(self.good, only=['d'])

    def test_mutations_are_refused_or_made(self):
        """Whatever stands in a manifest, the answer is arrays or a ValueError."""
        rng = random.Random(3)
        odd = [
            None,
            True,
            -1,
            0,
            2,
            1e300,
            10**30,
            0.5,
            '',
            'x',
            [],
            {},
            [1],
            {'kind': 'normal'},
            float('nan'),
            '9' * 30,
        ]

        def mutate(node):
            keys = list(node) if isinstance(node, dict) else range(len(node))
            key = rng.choice(list(keys))
            if isinstance(node[key], (dict, list)) and len(node[key]) > 0 and rng.random() < 0.8:
                mutate(node[key])
            elif isinstance(node, dict) and rng.random() < 0.2:
                del node[key]
            else:
                node[key] = rng.choice(odd)

        distributions = [spec[3] for spec in FILE['specs'][:60] if spec[2] and np.prod(spec[2]) < 400]
        shapes = [spec[2] for spec in FILE['specs'][:60] if spec[2] and np.prod(spec[2]) < 400]
        made = refused = 0
        warnings.simplefilter('ignore')
        self.addCleanup(warnings.resetwarnings)
        for _ in range(3000):
            at = rng.randrange(len(distributions))
            manifest = copy.deepcopy(self.good)
            manifest['parameters'].append(copy.deepcopy(entry('d', shapes[at], distributions[at])))
            if rng.random() < 0.3:
                # The same as a plan.
                del manifest['format'], manifest['version']
                manifest.update(totals={}, tied={'t': 'b'})
                for parameter in manifest['parameters']:
                    parameter['action'] = rng.choice(['initialize', 'initialize', 'skip'])
            mutate(manifest)
            try:
                checked = webgpu_init._read_manifest(manifest)
                if all(e.region.size < 1e5 for e in checked.entries.values()):
                    webgpu_init.state_dict(manifest)
                made += 1
            except ValueError:
                refused += 1
            except Exception as error:
                raise AssertionError(f'{type(error).__name__} for {json.dumps(manifest)}') from error
        self.assertGreater(refused, 500)
        self.assertGreater(made, 100)

    def test_plans(self):
        plan = {
            'model': 'x', 'valueContract': 1, 'seed': '42', 'generator': 'philox', 'totals': {},
            'tied': {'head': 'a.weight', 'tail': 'b'},
            'parameters': [
                {**entry('a.weight', [4, 3], NORMAL), 'action': 'initialize', 'description': 'normal(0, 1)', 'elementCount': 12},
                {**entry('b', [4], NORMAL), 'action': 'skip'},
            ],
        }  # fmt: skip
        stream = webgpu_init._parameter_stream('a.weight', 42)
        plan['parameters'][0]['stream'] = {'key': str(stream.key), 'counter': str(stream.counter)}
        arrays = webgpu_init.state_dict(plan)
        self.assertEqual(list(arrays), ['a.weight', 'head'])
        self.assertIs(arrays['head'], arrays['a.weight'])
        self.assertTrue(np.array_equal(arrays['head'], webgpu_init.tensor(42, 'a.weight', (4, 3), NORMAL)))
        plan['parameters'][0]['padding'] = {'first': 3, 'count': 3}
        self.assertEqual(webgpu_init.state_dict(plan)['head'][1].tolist(), [0, 0, 0])
        for odd in ({'seed': '1', 'offset': '2'}, {'key': str(stream.key)}, {'key': '-1', 'counter': '2'}, 'x'):
            plan['parameters'][0]['stream'] = odd
            with self.assertRaisesRegex(ValueError, '"a.weight": stream must hold key and counter'):
                webgpu_init.state_dict(plan)

    def test_plans_of_the_command_line(self):
        """Plans and manifests of the same models: equal values, with padding rows, ties and streams."""
        models = {name: model for name, model in FILE['models'].items() if 'plan' in model}
        for name, model in models.items():
            arrays = webgpu_init.state_dict(model['plan'])
            for key, wanted in model['sha256'].items():
                with self.subTest(f'{name} {key}'):
                    self.assertEqual(sha256(arrays[key]), wanted)
            for alias, owner in model['tied'].items():
                self.assertIs(arrays[alias], arrays[owner])
        planned = [parameter for model in models.values() for parameter in model['plan']['parameters']]
        self.assertGreater(sum('padding' in parameter for parameter in planned), 1)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'manifest.json')
            path.write_text(json.dumps(self.good))
            self.assertEqual(webgpu_init.load_manifest(path), self.good)
            for manifest in (str(path), path, json.dumps(self.good)):
                self.assertEqual(list(webgpu_init.state_dict(manifest)), ['a.weight', 'a.tied', 'b', 'c'])
            header = json.dumps({'__metadata__': {'webgpu-init': json.dumps(self.good)}}).encode()
            weights = Path(folder, 'w.safetensors')
            weights.write_bytes(len(header).to_bytes(8, 'little') + header)
            self.assertEqual(webgpu_init.load_manifest(weights), self.good)
            for data in (
                b'',
                b'\xff' * 20,
                (2).to_bytes(8, 'little') + b'{}',
                (9).to_bytes(8, 'little') + b'[1,2,3]  ',
            ):
                weights.write_bytes(data)
                with self.assertRaisesRegex(ValueError, 'w.safetensors'):
                    webgpu_init.load_manifest(weights)
            path.write_text('[' * 100000)
            with self.assertRaises(ValueError):
                webgpu_init.load_manifest(path)


@needs_torch
class Torch(unittest.TestCase):
    def test_golden_hashes(self):
        for case, wanted, spec in golden_cases():
            with self.subTest(case):
                self.assertEqual(sha256(make(spec, torch)), wanted)

    def test_specs(self):
        for spec in FILE['specs'][::2] + FILE['far']:
            with self.subTest(spec):
                self.assertEqual(sha256(make(spec, 'torch')), spec[-1])

    def test_parts_and_models(self):
        for part in FILE['parts']:
            (array,) = webgpu_init.state_dict(part['manifest'], like=torch.device('cpu')).values()
            with self.subTest(part['manifest']['parameters'][0]):
                self.assertEqual(sha256(array), part['sha256'])
        model = FILE['models']['bert-base-uncased']
        for key, array in webgpu_init.state_dict(model['manifest'], like=torch.zeros(1)).items():
            self.assertEqual(sha256(array), model['sha256'][key])

    def test_distance_to_half(self):
        check_distances(self, webgpu_init._Torch('cpu'))

    def test_orthogonal_is_numpys(self):
        for seed, name, shape, distribution, _ in FILE['orthogonal']:
            made = webgpu_init.tensor(int(seed), name, shape, distribution, like=torch)
            self.assertEqual(sha256(made), sha256(webgpu_init.tensor(int(seed), name, shape, distribution)))


def small_manifest():
    """Of `Small`: everything but its frequencies."""
    uniform = {'kind': 'uniform', 'low': -0.25, 'high': 0.25}
    return manifest_of(
        entry('embed.weight', [103, 16], NORMAL, padding={'first': 16, 'count': 16}, role='embedding'),
        entry('layers.0.weight', [5, 16], uniform),
        entry('layers.0.bias', [5], {'kind': 'constant', 'value': 0}),
        entry('layers.1.weight', [16, 5], {'kind': 'truncated-normal', 'mean': 0, 'std': 0.02, 'low': -0.04, 'high': 0.04}),
        entry('layers.1.bias', [16], {'kind': 'constant', 'value': 0.5}),
        entry('norm.weight', [16], {'kind': 'constant', 'value': 1}),
        entry('norm.bias', [16], {'kind': 'constant', 'value': 0}),
        entry('norm.running_mean', [16], {'kind': 'constant', 'value': 0}, role='buffer'),
        entry('norm.running_var', [16], {'kind': 'constant', 'value': 1}, role='buffer'),
        entry('norm.num_batches_tracked', [], {'kind': 'constant', 'value': 0}, 'int64', role='buffer'),
    )


@needs_torch
class Modules(unittest.TestCase):
    def model(self, device='meta'):
        from fsdp_worker import Tied

        with torch.device(device):
            return Tied()

    def check(self, model):
        wanted = webgpu_init.state_dict(small_manifest())
        names = []
        for name, tensor in [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]:
            name = webgpu_init._plain_name(name)
            names.append(name)
            expected = wanted['embed.weight' if name == 'head.weight' else name]
            made = tensor.detach().to('cpu')
            if made.dtype == torch.float32 or not made.is_floating_point():
                self.assertEqual(sha256(made), sha256(expected), name)
            else:
                self.assertTrue(torch.equal(made, torch.from_numpy(expected).to(made.dtype)), name)
        self.assertEqual(sorted(names), sorted([*wanted, 'head.weight']))
        self.assertIs(model.head.weight, model.embed.weight)

    def test_in_place_on_meta_and_in_half(self):
        model = self.model('cpu')
        before = model.embed.weight
        self.assertIs(webgpu_init.materialize_(model, small_manifest()), model)
        self.assertIs(model.embed.weight, before)
        self.check(model)
        self.check(webgpu_init.materialize_(self.model(), small_manifest()))
        for dtype in (torch.bfloat16, torch.float16):
            self.check(webgpu_init.materialize_(self.model().to(dtype), small_manifest()))

    def test_not_contiguous(self):
        model = self.model('cpu')
        model.layers[0].weight = torch.nn.Parameter(torch.zeros(16, 5).t())
        self.check(webgpu_init.materialize_(model, small_manifest()))
        self.assertFalse(model.layers[0].weight.is_contiguous())

    def test_wrappers(self):
        from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

        model = self.model()
        model.layers[0] = checkpoint_wrapper(model.layers[0])
        self.assertIn('layers.0._checkpoint_wrapped_module.weight', dict(model.named_parameters()))
        webgpu_init.materialize_(torch.compile(model), small_manifest())
        self.check(model)

    def test_buffers(self):
        class WithFrequencies(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(3, 2, bias=False)
                self.register_buffer('inv_freq', torch.arange(4.0), persistent=False)

        manifest = manifest_of(entry('fc.weight', [2, 3], NORMAL))
        with torch.device('meta'):
            model = WithFrequencies()
        with self.assertRaisesRegex(ValueError, '"inv_freq" is on the meta device'):
            webgpu_init.materialize_(model, manifest)
        self.assertTrue(model.fc.weight.is_meta)
        webgpu_init.materialize_(model, manifest, buffers=dict(WithFrequencies().named_buffers()))
        self.assertEqual(model.inv_freq.tolist(), [0, 1, 2, 3])
        # On the CPU a buffer keeps its values.
        self.assertEqual(webgpu_init.materialize_(WithFrequencies(), manifest).inv_freq.tolist(), [0, 1, 2, 3])

    def test_mistakes_come_before_writing(self):
        manifest = small_manifest()
        del manifest['parameters'][1]
        model = self.model('cpu')
        before = model.embed.weight.clone()
        with self.assertRaisesRegex(ValueError, '"layers.0.weight" is not in the manifest.*tied='):
            webgpu_init.materialize_(model, manifest)
        self.assertTrue(torch.equal(model.embed.weight, before))
        model.layers[0] = torch.nn.Linear(16, 6)
        with self.assertRaisesRegex(ValueError, r'"layers.0.weight" has shape \[6, 16\]'):
            webgpu_init.materialize_(model, small_manifest())
        with self.assertRaisesRegex(ValueError, 'float64'):
            webgpu_init.materialize_(self.model('cpu').double(), small_manifest())
        untied = manifest_of(*small_manifest()['parameters'], entry('head.weight', [103, 16], NORMAL))
        with self.assertRaisesRegex(ValueError, 'one tensor in the module'):
            webgpu_init.materialize_(self.model('cpu'), untied)

    def test_ties_that_were_broken(self):
        model = self.model('cpu')
        model.head.weight = torch.nn.Parameter(torch.zeros(103, 16))
        with self.assertRaisesRegex(ValueError, '"head.weight" is not in the manifest'):
            webgpu_init.materialize_(model, small_manifest())
        webgpu_init.materialize_(model, small_manifest(), tied={'head.weight': 'embed.weight'})
        self.assertTrue(torch.equal(model.head.weight, model.embed.weight))

    @needs_transformers
    def test_transformers_gpt2(self):
        vectors = FILE['models']['gpt2']
        config = transformers.GPT2Config(**{k: v for k, v in vectors['config'].items() if k != 'architectures'})
        with torch.device('meta'):
            model = transformers.GPT2LMHeadModel(config)
        buffers = dict(transformers.GPT2LMHeadModel(config).named_buffers())
        webgpu_init.materialize_(model, vectors['manifest'], buffers=buffers)
        state = model.state_dict()
        for name, wanted in vectors['sha256'].items():
            self.assertEqual(sha256(state[name]), wanted, name)
        self.assertEqual(state['lm_head.weight'].data_ptr(), state['transformer.wte.weight'].data_ptr())
        logits = model(torch.tensor([[1, 2, 3]])).logits
        self.assertTrue(bool(torch.isfinite(logits).all()))

    @needs_transformers
    def test_transformers_llama(self):
        vectors = FILE['models']['llama-3.2-1b']
        config = transformers.LlamaConfig(**{k: v for k, v in vectors['config'].items() if k != 'architectures'})
        with torch.device('meta'):
            model = transformers.LlamaForCausalLM(config)
        with self.assertRaisesRegex(ValueError, 'inv_freq'):
            webgpu_init.materialize_(model, vectors['manifest'])
        rotary = transformers.models.llama.modeling_llama.LlamaRotaryEmbedding(config)
        buffers = dict(rotary.named_buffers(prefix='model.rotary_emb'))
        webgpu_init.materialize_(model, vectors['manifest'], buffers=buffers)
        # The config says bfloat16, and this model is float32: the same values before rounding.
        state = model.state_dict()
        for name, wanted in vectors['sha256'].items():
            self.assertEqual(state[name].dtype, torch.float32)
            self.assertEqual(sha256(state[name].to(torch.bfloat16)), wanted, name)


@needs_torch
class Distributed(unittest.TestCase):
    """Meshes of many ranks in this one process: nothing is communicated, so a store without peers is enough."""

    def ranks(self, size):
        import torch.distributed as dist
        from torch.distributed.tensor import debug
        from torch.testing._internal.distributed.fake_pg import FakeStore

        for rank in range(size):
            # Equal meshes of two ranks are one to this cache: operations would give the mesh of the rank before.
            debug._clear_sharding_prop_cache()
            dist.init_process_group('fake', store=FakeStore(), rank=rank, world_size=size)
            try:
                yield rank
            finally:
                dist.destroy_process_group()

    def test_local_indices(self):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor import Replicate, Shard, distribute_tensor
        from torch.distributed.tensor.placement_types import _StridedShard

        rng = random.Random(4)
        cases = []
        for mesh in ((2,), (3,), (4,), (2, 2), (2, 3), (4, 2), (2, 2, 2)):
            for _ in range(10):
                shape = tuple(rng.randint(1, 11) for _ in range(rng.randint(1, 3)))
                placements = [rng.choice([Replicate(), Shard(rng.randrange(len(shape)))]) for _ in mesh]
                # As fully_shard makes it over a dimension that tensor parallelism cuts later.
                if len(mesh) > 1 and isinstance(placements[-1], Shard) and rng.random() < 0.5:
                    placements[0] = _StridedShard(placements[-1].dim, split_factor=mesh[-1])
                cases.append((mesh, shape, placements))
        compared = 0
        for size in sorted({int(np.prod(mesh)) for mesh, _, _ in cases}):
            for _ in self.ranks(size):
                for mesh_shape, shape, placements in cases:
                    if int(np.prod(mesh_shape)) != size:
                        continue
                    mesh = init_device_mesh('cpu', mesh_shape)
                    whole = torch.from_numpy(webgpu_init.tensor(5, 'w', shape, NORMAL))
                    sharded = distribute_tensor(whole, mesh, placements, src_data_rank=None)
                    module = torch.nn.Module()
                    empty = torch.zeros(shape)
                    module.w = torch.nn.Parameter(distribute_tensor(empty, mesh, placements, src_data_rank=None))
                    webgpu_init.materialize_(module, manifest_of(entry('w', list(shape), NORMAL), seed='5'))
                    self.assertTrue(torch.equal(module.w.to_local(), sharded.to_local()), (mesh_shape, shape, placements))
                    compared += 1
        self.assertGreater(compared, 300)

    def test_partial_is_refused(self):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor import DTensor, Partial

        for _ in self.ranks(2):
            module = torch.nn.Module()
            partial = DTensor.from_local(torch.zeros(4), init_device_mesh('cpu', (2,)), [Partial()], run_check=False)
            module.w = torch.nn.Parameter(partial)
            with self.assertRaisesRegex(ValueError, '"w" has the placement.*Redistribute'):
                webgpu_init.materialize_(module, manifest_of(entry('w', [4], NORMAL)))

    def test_fully_sharded_and_tensor_parallel(self):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

        from fsdp_worker import Tied

        wanted = webgpu_init.state_dict(small_manifest(), like='torch')
        for rank in self.ranks(4):
            mesh = init_device_mesh('cpu', (2, 2), mesh_dim_names=('dp', 'tp'))
            with torch.device('meta'):
                model = Tied()
            plan = {'layers.0': ColwiseParallel(), 'layers.1': RowwiseParallel()}
            parallelize_module(model, mesh['tp'], plan)
            for layer in model.layers:
                fully_shard(layer, mesh=mesh['dp'])
            fully_shard(model, mesh=mesh['dp'])
            webgpu_init.materialize_(model, small_manifest())
            for name, parameter in model.named_parameters(remove_duplicate=False):
                whole = wanted['embed.weight' if name == 'head.weight' else name]
                if parameter.device_mesh.ndim == 2:
                    self.assertEqual(tuple(parameter.device_mesh.get_coordinate()), divmod(rank, 2))
                lists = webgpu_init._local_indices(parameter, name)
                local = parameter.to_local()
                self.assertFalse(local.is_meta)
                self.assertTrue(np.array_equal(local.detach().numpy(), whole.numpy()[np.ix_(*lists)]), name)

    def test_torchrun(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'manifest.json')
            path.write_text(json.dumps(small_manifest()))
            command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
            environment = {**os.environ, 'GLOO_SOCKET_IFNAME': 'lo', 'OMP_NUM_THREADS': '1'}
            done = subprocess.run(
                [*command, str(HERE / 'fsdp_worker.py'), str(path)],
                capture_output=True, text=True, timeout=240, env=environment,
            )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # 103 rows and 5 rows in two: uneven shards.
        for rank, rows in ((0, 3), (1, 2)):
            self.assertIn(f'rank {rank}: 0 of 11 differ, tied True, rows {rows}, collectives 0', done.stdout)


    @needs_transformers
    def test_check_sharding(self):
        """Two real ranks and the command line's files; four are run by hand, see docs/sharding.md."""
        import check_sharding

        try:
            import safetensors.torch  # noqa: F401
        except ImportError:
            self.skipTest('safetensors is not installed')
        if shutil.which('node') is None or not check_sharding.COMMAND.exists():
            self.skipTest('the command line is not built (npm run build), or there is no Node')
        done = subprocess.run(
            [sys.executable, str(HERE / 'check_sharding.py'), '--ranks', '2'], capture_output=True, text=True, timeout=400
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = [line.split(' | ') for line in done.stdout.splitlines() if line.startswith(('| fsdp', '| t', '| b', '| seed'))]
        wanted = [case for case, (_, _, ranks) in check_sharding.CASES.items() if ranks in (None, 2)]
        self.assertEqual([row[0].removeprefix('| ') for row in rows], wanted)
        for row in rows:
            self.assertEqual((row[1], row[3], row[4]), ('2', '21', '0'), row)
            self.assertEqual(row[6], '' if row[0].startswith('| seed') else '0', row)

    def test_check_sharding_refuses_unknown_cases(self):
        done = subprocess.run(
            [sys.executable, str(HERE / 'check_sharding.py'), '--only', 'fsdq'], capture_output=True, text=True, timeout=100
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn("'fsdq' is the beginning of no case; there are: fsdp;", done.stderr)


@needs_jax
class Jax(unittest.TestCase):
    def test_golden_hashes(self):
        """One seed: every distribution and dtype is a program to compile."""
        for case, wanted, spec in golden_cases():
            if spec[0] == '42':
                with self.subTest(case):
                    self.assertEqual(sha256(make(spec, jax)), wanted)

    def test_specs(self):
        skipped = 0
        for spec in FILE['specs'][::25] + FILE['far'][:6]:
            if spec[4] == 'int64':
                skipped += 1
                with self.assertRaisesRegex(ValueError, 'jax_enable_x64'):
                    make(spec, jnp)
                continue
            with self.subTest(spec):
                self.assertEqual(sha256(make(spec, jnp)), spec[-1])
        self.assertLess(skipped, 5)

    def test_parts(self):
        for part in FILE['parts'][:10]:
            (array,) = webgpu_init.jax_tree(part['manifest'], flat=True).values()
            with self.subTest(part['manifest']['parameters'][0]):
                self.assertEqual(sha256(array), part['sha256'])

    def test_distance_to_half(self):
        check_distances(self, webgpu_init._Jax(np.uint32(0)))

    def test_subnormal_halves(self):
        distribution = {'kind': 'normal', 'mean': 0, 'std': 1e-6}
        wanted = webgpu_init.tensor(1, 'w', (4096,), distribution, 'float16')
        self.assertEqual(sha256(webgpu_init.tensor(1, 'w', (4096,), distribution, 'float16', like=jax)), sha256(wanted))

    def test_inside_jit(self):
        distributions = [NORMAL, {'kind': 'normal', 'mean': 0.1, 'std': 0.02}, {'kind': 'uniform', 'low': 0.1, 'high': 0.7},
                {'kind': 'truncated-normal', 'mean': 0, 'std': 1, 'low': -2, 'high': 2},
                {'kind': 'sparse', 'std': 1, 'rows': 200, 'columns': 100, 'zeros': 50}]  # fmt: skip

        def make_all(zero):
            return [webgpu_init.tensor(3, 'w', (200, 100), distribution, like=jax, zero=zero) for distribution in distributions]

        for distribution, made in zip(distributions, jax.jit(make_all)(np.uint32(0))):
            self.assertEqual(sha256(made), sha256(webgpu_init.tensor(3, 'w', (200, 100), distribution)), distribution)
        with self.assertRaisesRegex(ValueError, '"w".*zero='):
            jax.jit(lambda x: x + webgpu_init.tensor(3, 'w', (4,), NORMAL, like=jax))(1.0)

    def test_fast_math(self):
        """XLA may assume what it likes of float32, in a process of its own: the flags are read once."""
        code = (
            'import json, sys, hashlib, jax, numpy as np, webgpu_init\n'
            'for distribution in json.load(sys.stdin):\n'
            "    made = jax.jit(lambda z: webgpu_init.tensor(3, 'w', (50000,), distribution, like=jax, zero=z))(np.uint32(0))\n"
            '    print(hashlib.sha256(np.asarray(made).tobytes()).hexdigest())\n'
        )
        distributions = [
            {'kind': 'normal', 'mean': 0.1, 'std': 0.02},
            {'kind': 'uniform', 'low': 0.1, 'high': 0.7},
            {'kind': 'truncated-normal', 'mean': 0, 'std': 1, 'low': -2, 'high': 2},
        ]
        flags = ['enable_fast_math=true', *(f'fast_math_honor_{x}=false' for x in ('nans', 'infs', 'division', 'functions'))]
        done = subprocess.run(
            [sys.executable, '-c', code],
            input=json.dumps(distributions),
            capture_output=True,
            text=True,
            timeout=240,
            cwd=HERE,
            env={**os.environ, 'XLA_FLAGS': ' '.join(f'--xla_cpu_{flag}' for flag in flags)},
        )
        wanted = [sha256(webgpu_init.tensor(3, 'w', (50000,), distribution)) for distribution in distributions]
        self.assertEqual(done.stdout.split(), wanted, done.stderr)

    def test_sharded(self):
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        if len(jax.devices()) < 4:
            self.skipTest('JAX has fewer than four devices')
        mesh = Mesh(np.array(jax.devices()[:4]).reshape(2, 2), ('x', 'y'))
        manifest = manifest_of(
            entry('a.kernel', [64, 48], NORMAL, 'bfloat16', padding={'first': 48, 'count': 48}),
            entry('a.bias', [8], {'kind': 'constant', 'value': 2}),
            entry('b', [16, 16], {'kind': 'diagonal', 'value': 1, 'elementCount': 256,
                                  'runs': [{'first': 0, 'stride': 17, 'count': 16}]}),
        )  # fmt: skip
        wanted = webgpu_init.state_dict(manifest)
        for spec in (PartitionSpec('x'), PartitionSpec(('x', 'y')), PartitionSpec(None, 'y'), PartitionSpec('y', 'x')):
            sharding = NamedSharding(mesh, spec)
            shardings = {'a.kernel': sharding, 'b': sharding}
            tree = webgpu_init.jax_tree(manifest, sharding=shardings)
            self.assertEqual(sorted(tree), ['a', 'b'])
            self.assertEqual(tree['a']['kernel'].sharding, sharding)
            for name, array in (('a.kernel', tree['a']['kernel']), ('a.bias', tree['a']['bias']), ('b', tree['b'])):
                self.assertEqual(sha256(array), sha256(wanted[name]))

        def program(zero):
            return webgpu_init.tensor(42, 'a.kernel', (64, 48), NORMAL, like=jax, zero=zero)

        text = (
            jax.jit(program, out_shardings=NamedSharding(mesh, PartitionSpec('y', 'x'))).lower(np.uint32(0)).compile().as_text()
        )
        self.assertNotRegex(text, 'all-reduce|all-gather|collective-permute|all-to-all')

    def test_tree(self):
        manifest = manifest_of(entry('a.b', [2], NORMAL), entry('a.c', [2], NORMAL, tiedTo='a.b'), entry('a', [2], NORMAL))
        with self.assertRaisesRegex(ValueError, '"a".*flat=True'):
            webgpu_init.jax_tree(manifest)
        flat = webgpu_init.jax_tree(manifest, flat=True)
        self.assertEqual(list(flat), ['a.b', 'a.c', 'a'])
        self.assertEqual(list(webgpu_init.jax_tree(manifest, only=['a.c'])['a']), ['c'])


if __name__ == '__main__':
    unittest.main()
