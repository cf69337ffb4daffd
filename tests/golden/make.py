"""Computes the results in this folder's files again, from the configurations and inputs that they hold.

    python make.py half                                       compares with what is in half.json
    python make.py half --write                               writes half.json
    python make.py mindflow --source path/to/diffusion.py     MindFlow's file, see README.md

README.md has the versions. No test and no CI runs this.
"""

import argparse
import base64
import hashlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def encode(values, dtype):
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


def decode(text, dtype, shape=-1):
    return np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape)


# The formulas in float64.


def alphas_cumprod(config):
    total = config["num_train_timesteps"]
    start, end = config["beta_start"], config["beta_end"]
    schedule = config["beta_schedule"]
    if schedule == "linear":
        betas = np.linspace(start, end, total)
    elif schedule == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, total) ** 2
    elif schedule == "sigmoid":
        betas = (end - start) / (1 + np.exp(-np.linspace(-6, 6, total))) + start
    else:
        level = np.cos((np.arange(total + 1) / total + 0.008) / 1.008 * np.pi / 2) ** 2
        betas = np.minimum(1 - level[1:] / level[:-1], 0.999)
    alphas = np.cumprod(1 - betas)
    if config.get("rescale_betas_zero_snr"):
        roots = np.sqrt(alphas)
        alphas = ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2
    return alphas


def timesteps(total, spacing, steps, offset=0):
    """The list of diffusers, cut to `steps` entries where numpy.arange gives one more."""
    if spacing == "linspace":
        return np.linspace(0, total - 1, steps).round()[::-1].astype(np.int32)
    if spacing == "leading":
        return ((np.arange(steps) * (total // steps))[::-1] + offset).astype(np.int32)
    return (np.round(np.arange(total, 0, -total / steps)) - 1).astype(np.int32)[:steps]


def step(config, case, sample, model_output, noise):
    """One step of DDIM (arXiv 2010.02502, formulas 12 and 16): the next sample and x_0."""
    alphas = alphas_cumprod(config)
    t = case["timestep"]
    previous = t - config["num_train_timesteps"] // case["num_inference_steps"]
    a = alphas[t]
    outer = 1.0 if config.get("set_alpha_to_one", True) else alphas[0]
    target = alphas[previous] if previous >= 0 else outer
    x, m = sample.astype(np.float64), model_output.astype(np.float64)
    signal, deviation = np.sqrt(a), np.sqrt(1 - a)
    if config["prediction_type"] == "epsilon":
        x0, eps = (x - deviation * m) / signal, m
    elif config["prediction_type"] == "sample":
        x0, eps = m, (x - signal * m) / deviation
    else:
        x0, eps = signal * x - deviation * m, signal * m + deviation * x
    if config.get("thresholding"):
        flat = np.abs(x0).reshape(len(x0), -1)
        threshold = np.quantile(flat, config["dynamic_thresholding_ratio"], axis=1)
        threshold = np.clip(threshold, 1, max(1, config["sample_max_value"]))
        threshold = threshold.reshape(-1, *[1] * (x0.ndim - 1))
        x0 = np.clip(x0, -threshold, threshold) / threshold
    elif config["clip_sample"]:
        x0 = np.clip(x0, -config["clip_sample_range"], config["clip_sample_range"])
    if case["use_clipped_model_output"]:
        eps = (x - signal * x0) / deviation
    variance = max(0.0, (1 - target) / (1 - a) * (1 - a / target))
    sigma = case["eta"] * np.sqrt(variance)
    result = np.sqrt(target) * x0 + np.sqrt(max(0.0, 1 - target - sigma**2)) * eps
    if sigma > 0:
        result = result + sigma * noise.astype(np.float64)
    return result, x0


# The files. Each function replaces the results in the parsed file.


def make_schedule(data):
    for case in data["alphas_cumprod"]:
        case["float64"] = encode(alphas_cumprod(case), "<f8")
    for case in data["timesteps"]:
        args = case["num_train_timesteps"], case["timestep_spacing"], case["num_inference_steps"]
        case["timesteps"] = timesteps(*args).tolist()
    for key in data["all_timesteps_sha256"]:
        total, spacing = key.split()
        digest = hashlib.sha256()
        for steps in range(1, int(total) + 1):
            digest.update(timesteps(int(total), spacing, steps).astype("<i4").tobytes())
        data["all_timesteps_sha256"][key] = digest.hexdigest()


def make_half(data):
    for case in data["cases"]:
        inputs = [
            None if case[name] is None else decode(case[name], "<f2", case["shape"])
            for name in ("sample", "model_output", "variance_noise")
        ]
        truth, _ = step(case["config"], case, *inputs)
        case["truth"] = encode(truth, "<f8")
        # numpy rounds once, to the nearest half, ties to even.
        case["nearest_half"] = encode(truth.astype(np.float16), "<f2")


def make_diffusers(data):
    import torch
    from diffusers import DDIMScheduler
    from diffusers import __version__ as version

    data["source"] = f"huggingface/diffusers {version}, torch {torch.__version__}, CPU, float32"
    for case in data["cases"]:
        scheduler = DDIMScheduler(**case["config"])
        scheduler.set_timesteps(case["num_inference_steps"])
        if case["timesteps"] is not None:
            case["timesteps"] = scheduler.timesteps.tolist()
        tensor = lambda text: torch.from_numpy(decode(text, "<f4", case["shape"]).copy())
        for each in case["steps"]:
            noise = each["variance_noise"]
            result = scheduler.step(
                tensor(each["model_output"]),
                each["timestep"],
                tensor(each["sample"]),
                eta=each["eta"],
                use_clipped_model_output=each["use_clipped_model_output"],
                variance_noise=None if noise is None else tensor(noise),
            )
            each["prev_sample"] = encode(result.prev_sample.numpy(), "<f4")
            each["pred_original_sample"] = encode(result.pred_original_sample.numpy(), "<f4")
        add = case["add_noise"]
        args = tensor(add["original"]), tensor(add["noise"]), torch.tensor(add["timesteps"])
        add["noisy"] = encode(scheduler.add_noise(*args).numpy(), "<f4")
        add["velocity"] = encode(scheduler.get_velocity(*args).numpy(), "<f4")
    make_truth(data)


def make_truth(data):
    """The float64 results of diffusers.json alone."""
    for case in data["cases"]:
        for each in case["steps"]:
            inputs = [
                None if each[name] is None else decode(each[name], "<f4", case["shape"])
                for name in ("sample", "model_output", "variance_noise")
            ]
            each_case = {**each, "num_inference_steps": case["num_inference_steps"]}
            truth, x0 = step(case["config"], each_case, *inputs)
            each["truth"] = encode(truth, "<f8")
            each["truth_x0"] = encode(x0, "<f8")


class Tensor(np.ndarray):
    """What MindFlow's file uses of mindspore.Tensor."""

    def __new__(cls, values, dtype=None):
        return np.array(values, dtype=dtype).view(cls)

    def gather(self, indices, axis):
        return np.take(self, indices, axis=axis)

    def clamp(self, low, high):
        return np.clip(self, low, high)


class Anything(types.ModuleType):
    """A module of which everything can be imported and subclassed: parts of MindSpore that the scheduler does not use."""

    def __getattr__(self, name):
        return type(name, (), {})


def load_mindflow(path, noise):
    """MindFlow's file as a module, on numpy; `noise` gives the noise that its step draws."""
    mindspore = Anything("mindspore")
    mindspore.Tensor = Tensor
    mindspore.jit_class = lambda each: each
    mindspore.dtype = types.SimpleNamespace(float32=np.float32, float16=np.float16, int32=np.int32)
    mindspore.ops = types.SimpleNamespace(
        sqrt=np.sqrt,
        reciprocal=np.reciprocal,
        randn_like=lambda like, dtype: noise(like, dtype),
    )
    mindspore.nn = Anything("mindspore.nn")
    sys.modules["mindspore"] = mindspore
    spec = importlib.util.spec_from_file_location("mindflow_diffusion", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_mindflow(data, path):
    drawn = None
    module = load_mindflow(path, lambda like, dtype: drawn.astype(dtype))
    for case in data["cases"]:
        config = dict(case["config"])
        is_half = config["compute_dtype"] == "float16"
        config["compute_dtype"] = np.float16 if is_half else np.float32
        tensor = lambda text: Tensor(decode(text, "<f2" if is_half else "<f4", case["shape"]))
        scheduler = module.DDIMScheduler(**config)
        scheduler.set_timesteps(case["num_inference_steps"])
        case["timesteps"] = scheduler.num_timesteps.tolist()
        drawn = None if case["variance_noise"] is None else tensor(case["variance_noise"])
        t = Tensor(case["timestep"], dtype=np.int32)
        result = scheduler.step(
            tensor(case["model_output"]),
            tensor(case["sample"]),
            t,
            eta=case["eta"],
            use_clipped_model_output=case["use_clipped_model_output"],
        )
        case["prev_sample"] = encode(result, "<f4")
        noise = tensor(case["add_noise"]["noise"])
        case["add_noise"]["noisy"] = encode(scheduler.add_noise(tensor(case["sample"]), noise, t), "<f4")


def make_rng(data):
    import torch

    bit_types = {"float32": "<u4", "float16": "<u2"}

    def describe(values):
        """What the file says of a tensor of floats."""
        array = values.numpy()
        bits = array.view(bit_types[str(array.dtype)])
        digits = 2 + 2 * array.dtype.itemsize
        ends = lambda part: {
            "values": array[part].astype(np.float64).tolist(),
            "bits": [f"{each:#0{digits}x}" for each in bits[part]],
        }
        return {
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
            "first": ends(slice(None, 8)),
            "last": ends(slice(-8, None)),
        }

    def generator(seed):
        return torch.Generator("cpu").manual_seed(int(seed))

    data["torch"] = torch.__version__
    data["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    for case in data["mt19937_u32"]:
        # A random integer below 2^28 takes one word and is its remainder: two of them make the word known.
        low = torch.randint(2**16, (8,), generator=generator(case["seed"]))
        words = generator(case["seed"]).get_state().numpy().view("<u8")[3:627].astype(np.uint32)
        case["first8"] = tempered_after_twist(words)[:8].tolist()
        assert [word % 2**16 for word in case["first8"]] == low.tolist()
    for case in data["single"]:
        source = generator(case["seed"])
        dtype = getattr(torch, case["dtype"])
        case.update(describe(torch.randn(case["n"], dtype=dtype, generator=source)))
        case["next_randint_2p20"] = torch.randint(2**20, (4,), generator=source).tolist()
    for case in data["sequences"]:
        source = generator(case["seed"])
        for op in case["ops"]:
            if op["op"] == "manual_seed":
                source.manual_seed(int(op["seed"]))
            elif op["op"] == "randint":
                drawn = torch.randint(op["low"], op["high"], (op["n"],), generator=source).numpy()
                op["sha256"] = hashlib.sha256(drawn.tobytes()).hexdigest()
                op["first"] = drawn[:8].tolist()
            else:
                dtype = getattr(torch, op["dtype"])
                op.update(describe(getattr(torch, op["op"])(op["n"], dtype=dtype, generator=source)))
    make_exhaustive(data["exhaustive"], torch)


def tempered_after_twist(state):
    """The words that MT19937 hands out after a seed: its state, renewed and tempered."""
    words = state.astype(np.uint64).tolist()
    for i in range(624):
        y = (words[i] & 0x80000000) | (words[(i + 1) % 624] & 0x7FFFFFFF)
        words[i] = words[(i + 397) % 624] ^ (y >> 1) ^ (0x9908B0DF if y & 1 else 0)
    y = np.array(words, dtype=np.uint32)
    y ^= y >> 11
    y ^= (y << 7) & np.uint32(0x9D2C5680)
    y ^= (y << 15) & np.uint32(0xEFC60000)
    return y ^ (y >> 18)


def untempered(words):
    """The state words from which torch hands out `words`."""
    y = words.astype(np.uint32)
    y ^= y >> 18
    y ^= (y << 15) & np.uint32(0xEFC60000)
    z = y.copy()
    for _ in range(4):
        z = y ^ ((z << 7) & np.uint32(0x9D2C5680))
    y = z.copy()
    for _ in range(2):
        z = y ^ (z >> 11)
    return z


# The number whose radius, sqrt(-2 ln(1 - k / 2^24)), is exactly 0.5.
K_OF_HALF = 1971375


def make_exhaustive(data, torch):
    """The kernel's radius, cosine and sine of every 24-bit number, from generators whose next words are chosen."""
    count = 2**24
    source = torch.Generator("cpu").manual_seed(0)
    blob = source.get_state().numpy().copy()

    def draw(words):
        """Normal values made of up to 608 words, a multiple of 16."""
        fields = blob.copy()
        state = np.zeros(624, dtype=np.uint32)
        state[: len(words)] = untempered(words)
        fields.view("<u8")[3:627] = state
        integers = fields.view("<u4")
        integers[2] = 624  # how many words are left
        integers[4] = 0  # the next one
        source.set_state(torch.from_numpy(fields))
        return torch.randn(len(words), generator=source).numpy()

    def draw_all(first_of, second_of):
        """The values of all k, where words 0 to 7 of a block are radii and 8 to 15 their angles."""
        cosines = np.empty(count, dtype=np.float32)
        sines = np.empty(count, dtype=np.float32)
        for start in range(0, count, 304):
            k = np.arange(start, min(start + 304, count), dtype=np.uint32)
            padded = np.resize(k, 304)
            words = np.stack([first_of(padded).reshape(-1, 8), second_of(padded).reshape(-1, 8)], axis=1)
            values = draw(words.reshape(-1)).reshape(-1, 2, 8)
            cosines[start : start + len(k)] = values[:, 0].reshape(-1)[: len(k)]
            sines[start : start + len(k)] = values[:, 1].reshape(-1)[: len(k)]
        return cosines, sines

    radius, _ = draw_all(lambda k: k, np.zeros_like)
    cosine, sine = draw_all(lambda k: np.full_like(k, K_OF_HALF), lambda k: k)
    tables = {"radius": radius, "cos": 2 * cosine, "sin": 2 * sine}
    for name, table in tables.items():
        table = table + np.float32(0)  # -0 becomes +0
        data[f"{name}_sha256"] = hashlib.sha256(table.tobytes()).hexdigest()
        for each in data["samples"]:
            each[name] = f"{int(table.view('<u4')[each['k']]):#010x}"


def leaves(value, path=""):
    """The values in a parsed file, by where they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from leaves(each, f"{path}[{i}]")
    else:
        yield path, value


def differences(name, before, after):
    """Texts on the results that differ: base64 of floats with the largest difference over max(1, largest)."""
    old = dict(leaves(before))
    for path, value in leaves(after):
        if old.get(path) == value:
            continue
        field = path.rsplit(".", 1)[-1]
        dtype = {"truth": "<f8", "truth_x0": "<f8", "float64": "<f8", "nearest_half": "<f2"}.get(field, "<f4")
        if isinstance(value, str) and len(value) > 80:
            was, now = decode(old[path], dtype).astype(np.float64), decode(value, dtype).astype(np.float64)
            error = np.max(np.abs(now - was)) / max(1, np.max(np.abs(was)))
            yield f"{name}{path}: off by {error:.1e}"
        else:
            yield f"{name}{path}: {value} instead of {old.get(path)}"


MAKERS = {
    "schedule": make_schedule,
    "half": make_half,
    "diffusers": make_diffusers,
    "truth": make_truth,
    "mindflow": make_mindflow,
    "rng": make_rng,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=MAKERS, help="the file; truth: the float64 results of diffusers.json alone")
    parser.add_argument("--source", type=Path, help="MindFlow's mindflow/cell/diffusion.py")
    parser.add_argument("--write", action="store_true", help="write the file, not only compare")
    args = parser.parse_args()
    if args.what == "mindflow" and args.source is None:
        parser.error("mindflow takes --source")
    path = FOLDER / f"{'diffusers' if args.what == 'truth' else args.what}.json"
    text = path.read_text()
    before, after = json.loads(text), json.loads(text)
    MAKERS[args.what](after, *([args.source] if args.what == "mindflow" else []))
    lines = list(differences(path.stem, before, after))
    print("\n".join(lines) if lines else f"{path.name}: no difference")
    if args.write:
        layout = {"indent": 1} if args.what == "rng" else {"separators": (",", ":")}
        path.write_text(json.dumps(after, **layout) + "\n")


if __name__ == "__main__":
    main()
