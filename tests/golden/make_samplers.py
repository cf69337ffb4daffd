"""Makes samplers.json: what diffusers' LCM, TCD and DPM-Solver++ schedulers give in float32.

    pip install diffusers torch numpy
    python tests/golden/make_samplers.py > tests/golden/samplers.json

Each case is a run whose model outputs are drawn, not predicted. Arrays are base64 of little-endian float32. The noise of
a step is torch.randn of the shape from a generator of `noise_seed`; `denoised` is there for LCM alone.
"""

import base64
import itertools
import json
import sys

import diffusers
import numpy as np
import torch

SHAPE = (2, 3, 4, 5)
PREDICTIONS = ["epsilon", "sample", "v_prediction"]
LATENTS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SCHEDULES = [LATENTS, {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}]


def distilled_cases(class_name):
    bounds = [{}]
    if class_name == "LCMScheduler":
        bounds += [
            {"clip_sample": True, "clip_sample_range": 0.8},
            {"thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5},
        ]
    for schedule, prediction_type, bound in itertools.product(SCHEDULES, PREDICTIONS, bounds):
        for steps, own in [(1, {}), (4, {}), (8, {}), (4, {"original_inference_steps": 20})]:
            yield {**schedule, "prediction_type": prediction_type, **bound, **own}, steps


def dpm_cases():
    solvers = [
        {},
        {"solver_order": 1},
        {"solver_type": "heun", "timestep_spacing": "trailing"},
        {"final_sigmas_type": "sigma_min", "timestep_spacing": "leading", "steps_offset": 1},
        {"final_sigmas_type": "sigma_min", "lower_order_final": False},
        {"final_sigmas_type": "sigma_min", "lower_order_final": False, "euler_at_final": True},
    ]
    bounds = [{}, {"thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5}]
    for schedule, prediction_type, bound, solver in itertools.product(SCHEDULES, PREDICTIONS, bounds, solvers):
        for steps in (5, 16):
            yield {**schedule, "prediction_type": prediction_type, **bound, **solver}, steps


def encode(tensor):
    return base64.b64encode(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes()).decode()


def run(scheduler, class_name, steps, seed):
    generator = torch.Generator("cpu").manual_seed(seed)
    scheduler.set_timesteps(steps)
    sample = torch.randn(SHAPE, generator=generator)
    records = []
    for index, timestep in enumerate(scheduler.timesteps):
        model_output = torch.randn(SHAPE, generator=generator)
        noise_seed = 1000 * seed + index
        options = {"generator": torch.Generator("cpu").manual_seed(noise_seed)}
        if class_name == "TCDScheduler":
            options["eta"] = (0.3, 0.0, 1.0)[seed % 3]
        result = scheduler.step(model_output, timestep, sample, **options)
        record = {
            "timestep": int(timestep),
            "noise_seed": noise_seed,
            "eta": options.get("eta"),
            "sample": encode(sample),
            "model_output": encode(model_output),
            "prev_sample": encode(result.prev_sample),
        }
        if class_name == "LCMScheduler":
            record["denoised"] = encode(result.denoised)
        records.append(record)
        sample = result.prev_sample
    return records


def make_case(class_name, config, steps, seed):
    records = run(getattr(diffusers, class_name)(**config), class_name, steps, seed)
    return {
        "class": class_name,
        "config": {"_class_name": class_name, **config},
        "num_inference_steps": steps,
        "timesteps": [record["timestep"] for record in records],
        "shape": SHAPE,
        "steps": records,
    }


def main():
    cases = [
        *(("LCMScheduler", *case) for case in distilled_cases("LCMScheduler")),
        *(("TCDScheduler", *case) for case in distilled_cases("TCDScheduler")),
        *(("DPMSolverMultistepScheduler", *case) for case in dpm_cases()),
    ]
    made = [make_case(*case, seed) for seed, case in enumerate(cases)]
    json.dump({"diffusers": diffusers.__version__, "torch": torch.__version__, "cases": made}, sys.stdout)


if __name__ == "__main__":
    main()
