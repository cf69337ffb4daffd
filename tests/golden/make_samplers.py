"""Makes samplers.json: what diffusers' LCM, TCD and DPM-Solver++ schedulers give, and the same formulas in float64.

    pip install diffusers torch numpy
    python tests/golden/make_samplers.py > tests/golden/samplers.json

Each case runs a model whose output is drawn, not predicted, through all its steps. Arrays are base64 of little-endian
numbers. `prev_sample` is diffusers' in float32; `truth` comes of the same scheduler with all its tables in float64.
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


def in_float64(make):
    """A scheduler whose tables are float64 from the beginning."""
    float32 = torch.float32
    torch.float32 = torch.float64
    try:
        return make()
    finally:
        torch.float32 = float32


def run(scheduler, class_name, steps, seed, dtype):
    generator = torch.Generator("cpu").manual_seed(seed)
    scheduler.set_timesteps(steps)
    sample = torch.randn(SHAPE, generator=generator).to(dtype)
    records = []
    for index, timestep in enumerate(scheduler.timesteps):
        model_output = torch.randn(SHAPE, generator=generator).to(dtype)
        noise_seed = 1000 * seed + index
        options = {"generator": torch.Generator("cpu").manual_seed(noise_seed)}
        if class_name == "TCDScheduler":
            options["eta"] = (0.3, 0.0, 1.0)[seed % 3]
        result = scheduler.step(model_output, timestep, sample, **options)
        records.append(
            {
                "timestep": int(timestep),
                "noise_seed": noise_seed,
                "eta": options.get("eta"),
                "sample": encode(sample.float()),
                "model_output": encode(model_output.float()),
                "prev_sample": result.prev_sample,
                "denoised": getattr(result, "denoised", None),
            }
        )
        # The next step starts from what float32 holds, in both precisions.
        sample = result.prev_sample.float().to(dtype)
    return records


def make_case(class_name, config, steps, seed):
    scheduler_class = getattr(diffusers, class_name)
    single = run(scheduler_class(**config), class_name, steps, seed, torch.float32)
    double = run(in_float64(lambda: scheduler_class(**config)), class_name, steps, seed, torch.float64)
    for record, truth in zip(single, double):
        # A truth of the same inputs: those of the float64 run are recorded where they differ.
        record["truth"] = encode(truth["prev_sample"].double())
        record["truth_sample"] = truth["sample"]
        record["prev_sample"] = encode(record["prev_sample"].float())
        denoised = record.pop("denoised")
        if denoised is not None:
            record["denoised"] = encode(denoised.float())
    return {
        "class": class_name,
        "config": {"_class_name": class_name, **config},
        "num_inference_steps": steps,
        "timesteps": [record["timestep"] for record in single],
        "shape": SHAPE,
        "steps": single,
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
