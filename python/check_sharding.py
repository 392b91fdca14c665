"""Checks sharded PyTorch models, filled by webgpu_init, against the files that the command line writes.

    npm run build
    python3 python/check_sharding.py              # 2 and 4 processes
    python3 python/check_sharding.py --ranks 2 --only fsdp --only tp

Small Llama models of transformers are made on the meta device, cut by FSDP2, tensor parallelism or both, and filled by
`materialize_`, every rank its own shards. Then the full tensors, which only this comparison gathers, are compared bit for
bit with `webgpu-init init config.json --seed 42`, and the logits with those of one process that loaded that file. Seed
checkpoints, the files of `init --shard I/N`, are read by torch.distributed.checkpoint's HuggingFaceStorageReader.

It needs Node, PyTorch, transformers and safetensors; the processes talk over gloo on this machine. The exit code is 1 where
one bit differs.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = HERE.parent / 'dist' / 'cli.js'
SEED, FILES = 42, 3

LLAMA = {
    'architectures': ['LlamaForCausalLM'],
    'model_type': 'llama',
    'hidden_size': 40,
    'intermediate_size': 55,
    'num_attention_heads': 8,
    'num_key_value_heads': 4,
    'head_dim': 4,
    'num_hidden_layers': 2,
    'vocab_size': 103,
    'max_position_embeddings': 32,
    'initializer_range': 0.02,
    'tie_word_embeddings': False,
    'torch_dtype': 'float32',
}
# Four ranks leave rows uneven (103, 55) in the first, and some ranks without rows (6, 5) in the second.
MODELS = {
    'llama': LLAMA,
    'thin': {**LLAMA, 'hidden_size': 12, 'intermediate_size': 5, 'vocab_size': 6, 'num_attention_heads': 2,
             'num_key_value_heads': 1, 'head_dim': 6, 'bos_token_id': 1, 'eos_token_id': 2},
    # Tensor parallelism runs a forward pass only where it divides; it is filled where it does not, too.
    'even': {**LLAMA, 'intermediate_size': 56, 'vocab_size': 104},
    'tied': {**LLAMA, 'intermediate_size': 56, 'vocab_size': 104, 'tie_word_embeddings': True},
    'bfloat16': {**LLAMA, 'torch_dtype': 'bfloat16'},
}  # fmt: skip

# Name -> (model, how it is cut, how many ranks it takes; None for any).
CASES = {
    'fsdp': ('llama', 'fsdp', None),
    'fsdp, few rows': ('thin', 'fsdp', None),
    'fsdp, Shard(1)': ('llama', 'columns', None),
    'hsdp': ('llama', 'hsdp', 4),
    'tp': ('even', 'tp', None),
    'tp, uneven': ('llama', 'tp', None),
    '2-D': ('even', '2-D', 4),
    '2-D, uneven': ('llama', '2-D', 4),
    'tied, fsdp': ('tied', 'fsdp', None),
    'tied, tp': ('tied', 'tp', None),
    'tied, 2-D': ('tied', '2-D', 4),
    'bfloat16, fsdp': ('bfloat16', 'fsdp', None),
    'bfloat16, 2-D': ('bfloat16', '2-D', 4),
    'seed checkpoint, Shard(0)': ('llama', 'read', None),
    'seed checkpoint, Shard(1)': ('llama', 'read', None),
    'seed checkpoint, Replicate': ('llama', 'read', None),
    'seed checkpoint, (Shard(0), Shard(1))': ('llama', 'read', 4),
    'seed checkpoint, bfloat16, Shard(0)': ('bfloat16', 'read', None),
}


def webgpu_init_command(*args):
    """Runs the built command line."""
    done = subprocess.run(['node', str(COMMAND), *map(str, args)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f'webgpu-init {args[0]} failed:\n{done.stdout}{done.stderr}')


def make_files(folder):
    """For every model its config, one file with all of it, and a folder with the files of a seed checkpoint."""
    for name, config in MODELS.items():
        path = folder / name / 'config.json'
        path.parent.mkdir()
        path.write_text(json.dumps(config))
        more = ('--seed', SEED, '--device', 'cpu', '--quiet')
        webgpu_init_command('init', path, '-o', folder / name / 'model.safetensors', *more)
        if any(model == name and cut == 'read' for model, cut, _ in CASES.values()):
            (folder / name / 'files').mkdir()
            # Any order: none waits for another.
            for index in range(FILES, 0, -1):
                out = folder / name / 'files' / 'model.safetensors'
                webgpu_init_command('init', path, '-o', out, '--shard', f'{index}/{FILES}', *more)


def torchrun(script_args, ranks, timeout=600):
    """This file as `ranks` processes of torchrun; what they print."""
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', str(ranks)]
    environment = {**os.environ, 'GLOO_SOCKET_IFNAME': 'lo', 'OMP_NUM_THREADS': '1', 'TOKENIZERS_PARALLELISM': 'false'}
    done = subprocess.run(
        [*command, str(HERE / 'check_sharding.py'), *script_args],
        capture_output=True, text=True, timeout=timeout, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# One rank
# ---------------------------------------------------------------------------------------------------------------------


def llama(name, device):
    """The model, without values where the device is meta, and the buffers that no checkpoint has."""
    import torch

    try:
        import torchvision  # noqa: F401
    except Exception:  # One that does not fit PyTorch would stop transformers.
        sys.modules['torchvision'] = None
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    settings = {key: value for key, value in MODELS[name].items() if key not in ('architectures', 'model_type', 'torch_dtype')}
    config = LlamaConfig(**settings, attn_implementation='eager')
    with torch.device(device):
        model = LlamaForCausalLM(config).to(getattr(torch, MODELS[name]['torch_dtype']))
    return model, dict(LlamaRotaryEmbedding(config).named_buffers(prefix='model.rotary_emb'))


def cut(model, how, ranks):
    """Cuts the model in place."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import Replicate, Shard
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    more = {}
    if how == '2-D':
        meshes = init_device_mesh('cpu', (2, ranks // 2), mesh_dim_names=('dp', 'tp'))
        rows, tensors = meshes['dp'], meshes['tp']
    elif how == 'hsdp':
        rows, tensors = init_device_mesh('cpu', (2, ranks // 2), mesh_dim_names=('replicate', 'shard')), None
    else:
        line = init_device_mesh('cpu', (ranks,))
        rows, tensors = (None, line) if how == 'tp' else (line, None)
    if how == 'columns':
        # FSDP2 cuts other dimensions than the first only where they divide.
        more['shard_placement_fn'] = lambda p: Shard(1) if p.dim() == 2 and p.shape[1] % ranks == 0 else None
    if tensors is not None:
        colwise = ('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'mlp.gate_proj', 'mlp.up_proj')
        rowwise = ('self_attn.o_proj', 'mlp.down_proj')
        plan = {f'model.layers.*.{name}': ColwiseParallel() for name in colwise}
        plan |= {f'model.layers.*.{name}': RowwiseParallel() for name in rowwise}
        plan['model.embed_tokens'] = RowwiseParallel(input_layouts=Replicate())
        plan['lm_head'] = ColwiseParallel(output_layouts=Replicate())
        parallelize_module(model, tensors, plan)
    if rows is not None:
        for layer in model.model.layers:
            fully_shard(layer, mesh=rows, **more)
        fully_shard(model, mesh=rows, **more)


def gathered(tensor):
    return tensor.full_tensor() if hasattr(tensor, 'full_tensor') else tensor


def summed(values):
    """Sums over all ranks."""
    import torch
    import torch.distributed as dist

    total = torch.tensor(values, dtype=torch.int64)
    dist.all_reduce(total)
    return total.tolist()


def compared(state, wanted, owners):
    """(tensors, those of which a bit differs on some rank, local shards without elements)."""
    import torch

    differ = []
    for name, tensor in state.items():
        full, expected = gathered(tensor.detach()), wanted[owners.get(name, name)]
        differ.append(int(full.dtype != expected.dtype or not torch.equal(full, expected)))
    empty = sum(t.to_local().numel() == 0 for t in state.values() if hasattr(t, 'to_local'))
    *differ, empty = summed([*differ, empty])
    return len(state), sum(count > 0 for count in differ), empty


def placements(state):
    """How many tensors are cut in which way, as text."""
    texts = []
    for tensor in state.values():
        each = [repr(p).replace('dim=', '') for p in getattr(tensor, 'placements', ())] or ['plain']
        texts.append(each[0] if len(each) == 1 else f'({", ".join(each)})')
    return ', '.join(f'{text} {count}' for text, count in sorted(Counter(texts).items()))


def filled(folder, name, how, ranks):
    """One case of `materialize_`."""
    import torch
    import webgpu_init
    from safetensors.torch import load_file
    from torch.distributed.tensor.debug import CommDebugMode

    path = folder / name / 'model.safetensors'
    wanted = load_file(path)
    tied = {'lm_head.weight': 'model.embed_tokens.weight'} if MODELS[name]['tie_word_embeddings'] else {}
    model, buffers = llama(name, 'meta')
    cut(model, how, ranks)
    with CommDebugMode() as filling:
        webgpu_init.materialize_(model, path, buffers=buffers, tied=tied)
    state = dict(model.named_parameters(remove_duplicate=False))
    with CommDebugMode() as gathering:
        tensors, differ, empty = compared(state, wanted, tied)
    # What is 0 below must not be 0 for another reason.
    if gathering.get_total_counts() == 0:
        raise RuntimeError('CommDebugMode counted nothing while full tensors were gathered.')
    key = 'model.layers.1.mlp.down_proj.weight'
    other = wanted[key].clone()
    other.view(-1)[-1] += 1
    if compared({key: state[key]}, {key: other}, {})[1] != 1:
        raise RuntimeError('The comparison did not notice one element that differs.')

    distance = None
    if how not in ('tp', '2-D') or MODELS[name]['intermediate_size'] % 4 == 0:
        one, _ = llama(name, 'cpu')
        one.load_state_dict({**wanted, **{alias: wanted[owner] for alias, owner in tied.items()}})
        tokens = torch.arange(6)[None] % MODELS[name]['vocab_size']
        with torch.no_grad():
            distance = (gathered(model(tokens).logits) - one(tokens).logits).abs().max().item()
    return tensors, differ, empty, summed([filling.get_total_counts()])[0], distance, placements(state)


def read(folder, name, case, ranks):
    """One case of a seed checkpoint: no collective is counted, since the reader plans with collectives of its own."""
    import torch
    import torch.distributed.checkpoint as checkpoint
    from safetensors.torch import load_file
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    wanted = load_file(folder / name / 'model.safetensors')
    asked = {'Shard(0)': [Shard(0)], 'Shard(1)': [Shard(1)], 'Replicate': [Replicate()],
             '(Shard(0), Shard(1))': [Shard(0), Shard(1)]}[case.split(', ', 1)[1].removeprefix('bfloat16, ')]  # fmt: skip
    mesh = init_device_mesh('cpu', (ranks,) if len(asked) == 1 else (2, ranks // 2))
    state = {}
    for key, tensor in wanted.items():
        # A vector has one dimension to cut.
        possible = [p if tensor.dim() > getattr(p, 'dim', 0) else Replicate() for p in asked]
        state[key] = distribute_tensor(torch.full_like(tensor, torch.nan), mesh, possible, src_data_rank=None)
    checkpoint.load(state, storage_reader=checkpoint.HuggingFaceStorageReader(str(folder / name / 'files')))
    tensors, differ, empty = compared(state, wanted, {})
    return tensors, differ, empty, None, None, placements(state)


def rank(folder, names):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group('gloo', timeout=datetime.timedelta(seconds=300))
    ranks, failed = dist.get_world_size(), 0
    for case in names:
        name, how, only = CASES[case]
        if only not in (None, ranks):
            continue
        made = read(folder, name, case, ranks) if how == 'read' else filled(folder, name, how, ranks)
        tensors, differ, empty, collectives, distance, cuts = made
        failed += differ > 0 or (collectives or 0) > 0
        if dist.get_rank() == 0:
            logits = '' if distance is None else 'equal' if distance == 0 else f'{distance:.1e}'
            counted = '' if collectives is None else collectives
            print(f'| {case} | {ranks} | {cuts} | {tensors} | {differ} | {empty} | {counted} | {logits} |', flush=True)
    # gloo's threads may abort an interpreter that exits in the usual way, after all is done.
    dist.barrier()
    sys.stdout.flush()
    os._exit(1 if failed else 0)


# ---------------------------------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--ranks', default='2,4', help='numbers of processes (default: 2,4)')
    parser.add_argument('--only', action='append', default=[], help="the beginning of a case, such as 'seed'; repeatable")
    parser.add_argument('--folder', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for beginning in arguments.only:
        if not any(case.startswith(beginning) for case in CASES):
            parser.error(f'--only {beginning!r} is the beginning of no case; there are: {"; ".join(CASES)}.')
    names = [case for case in CASES if not arguments.only or case.startswith(tuple(arguments.only))]
    if arguments.folder is not None:
        rank(Path(arguments.folder), names)

    import torch
    import transformers

    if not COMMAND.exists():
        parser.error(f'{COMMAND} is missing: run npm run build first.')
    print(f'PyTorch {torch.__version__}, transformers {transformers.__version__}, Python {sys.version.split()[0]}, gloo, '
          f'{datetime.date.today()}\n\n'
          '| case | ranks | placements | tensors | differ | empty shards | collectives | logits |\n'
          '| --- | --- | --- | --- | --- | --- | --- | --- |', flush=True)  # fmt: skip
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        for ranks in map(int, arguments.ranks.split(',')):
            only = [word for beginning in arguments.only for word in ('--only', beginning)]
            code, output, errors = torchrun(['--folder', folder, *only], ranks)
            print(output, end='', flush=True)
            if code != 0:
                failed = True
                print(errors, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
