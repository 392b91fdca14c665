"""Runs docs/training.md: its model, its command, its programs, in its order, and compares what they print."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402

import webgpu_init  # noqa: E402

COMMAND = HERE.parent / 'dist' / 'cli.js'
BUILT = shutil.which('node') is not None and COMMAND.exists()
NUMBER = re.compile(r'-?\d+\.\d+')


def installed(name):
    return subprocess.run([sys.executable, '-c', f'import {name}'], capture_output=True).returncode == 0


@unittest.skipUnless(BUILT, 'the command line is not built (npm run build), or there is no Node')
class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = (HERE.parent / 'docs' / 'training.md').read_text(encoding='utf-8')
        cls.blocks = re.findall(r'^```(\w+)\n(.*?)^```$', text, re.M | re.S)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        (model,) = (body for kind, body in cls.blocks if kind == 'json')
        Path(cls.folder.name, 'model.json').write_text(model)
        (command,) = (body for kind, body in cls.blocks if kind == 'sh')
        subprocess.run(command.replace('npx webgpu-init', f'node "{COMMAND}"'), shell=True, check=True, cwd=cls.folder.name)

    def programs(self, library):
        return [body for kind, body in self.blocks if kind == 'python' and f'import {library}' in body]

    def printed(self, program):
        environment = {**os.environ, 'PYTHONPATH': str(HERE), 'OMP_NUM_THREADS': '1', 'JAX_PLATFORMS': 'cpu'}
        done = subprocess.run(
            [sys.executable, '-c', program], capture_output=True, text=True, timeout=240, cwd=self.folder.name, env=environment
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def same(self, made, wanted):
        """Equal but for the last digits of losses, which depend on the order of sums."""
        self.assertEqual(NUMBER.sub('?', made), NUMBER.sub('?', wanted))
        for a, b in zip(NUMBER.findall(made), NUMBER.findall(wanted)):
            self.assertAlmostEqual(float(a), float(b), delta=0.02)

    def test_pytorch(self):
        if not installed('torch'):
            self.skipTest('PyTorch is not installed')
        (program,) = self.programs('webgpu_init\nfrom torch')
        losses, _ = (body for kind, body in self.blocks if kind == 'text')
        self.same(self.printed(program), losses)

    def test_jax(self):
        if not installed('jax'):
            self.skipTest('JAX is not installed')
        (program,) = self.programs('jax\n')
        losses, _ = (body for kind, body in self.blocks if kind == 'text')
        self.same(self.printed(program), losses)

    def test_recording(self):
        if not installed('torch'):
            self.skipTest('PyTorch is not installed')
        (program,) = (body for kind, body in self.blocks if kind == 'python' and 'from record import record' in body)
        _, recorded = (body for kind, body in self.blocks if kind == 'text')
        self.assertEqual(self.printed(program), recorded)

    def test_plan_and_file_say_the_same(self):
        command = ['node', str(COMMAND), 'init', 'model.json', '-o', 'model.safetensors', '--init', 'kaiming', '--seed', '42']
        subprocess.run([*command, '--device', 'cpu'], check=True, capture_output=True, cwd=self.folder.name)
        of_plan = webgpu_init.state_dict(Path(self.folder.name, 'plan.json'))
        of_file = webgpu_init.state_dict(Path(self.folder.name, 'model.safetensors'))
        self.assertEqual(list(of_plan), ['0.weight', '0.bias', '2.weight', '2.bias'])
        self.assertEqual(list(of_file), list(of_plan))
        data = Path(self.folder.name, 'model.safetensors').read_bytes()
        for name, values in of_plan.items():
            self.assertTrue(np.array_equal(values, of_file[name]), name)
            self.assertIn(values.tobytes(), data, name)


if __name__ == '__main__':
    unittest.main()
