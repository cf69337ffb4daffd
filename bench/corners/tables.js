// What a scheduler makes before its first step.

import { DDIMScheduler } from "ddim-wasm";
import { WrongResult } from "../check.js";

const T = 1000;

/** scheduler_config.json of Stable Diffusion 1.5. */
const STABLE_DIFFUSION = JSON.stringify({
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: T,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
});

/** How far float64 values may be apart, relatively: cosines differ in the last bits, and products gather that. */
const TOLERANCE = 1e-9;

function makeProducts(betas) {
  const alphas = new Float64Array(T);
  const alphasCumprod = new Float64Array(T);
  let product = 1;
  for (let i = 0; i < T; i++) {
    alphas[i] = 1 - betas[i];
    alphasCumprod[i] = product *= alphas[i];
  }
  return { betas, alphas, alphasCumprod, timesteps: countDown() };
}

function countDown() {
  const timesteps = new Int32Array(T);
  for (let i = 0; i < T; i++) timesteps[i] = T - 1 - i;
  return timesteps;
}

function makeCosineTables() {
  const product = (i) => Math.cos(((i / T + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  const betas = new Float64Array(T);
  let previous = product(0);
  for (let i = 0; i < T; i++) {
    const next = product(i + 1);
    betas[i] = Math.min(1 - next / previous, 0.999);
    previous = next;
  }
  return makeProducts(betas);
}

function makeConfiguredTables() {
  const { beta_start: betaStart, beta_end: betaEnd } = JSON.parse(STABLE_DIFFUSION);
  const start = Math.sqrt(betaStart);
  const stride = (Math.sqrt(betaEnd) - start) / (T - 1);
  const betas = new Float64Array(T);
  for (let i = 0; i < T; i++) betas[i] = (start + i * stride) ** 2;
  return makeProducts(betas);
}

/** The timesteps, and where each of them leads to. */
function makeSchedule() {
  const timesteps = countDown();
  const next = new Int32Array(T);
  for (let i = 0; i < T; i++) next[timesteps[i]] = i + 1 < T ? timesteps[i + 1] : -1;
  return { timesteps, next };
}

/** Every table of a scheduler, whether or not it has made them before they are asked for. */
function readTables({ betas, alphas, alphasCumprod, timesteps }) {
  return { betas, alphas, alphasCumprod, timesteps };
}

/** Compares what the library has with the plain loop's. */
function checkTables(tables, plainTables) {
  for (const [key, table] of Object.entries(tables)) {
    const plain = plainTables[key];
    const isRight = (value, i) => Math.abs(value - plain[i]) <= TOLERANCE * Math.abs(plain[i]);
    if (table.length !== T || !table.every(isRight)) throw new WrongResult(`the library and the plain loop differ in ${key}`); // prettier-ignore
  }
}

function makeRow(name, makeTables, makePlainTables) {
  const enter = (contestant, make) => {
    let tables;
    const run = () => {
      tables = make();
    };
    const check = () => checkTables(makeTables(), makePlainTables());
    return { name: contestant, prepare: () => ({ run, result: () => tables.timesteps }), check };
  };
  return { name, makeEntries: () => [enter("ddim-wasm", makeTables), enter("plain loop", makePlainTables)] };
}

const silence = { onWarning: () => {} };
const scheduler = new DDIMScheduler({ previousTimestep: "schedule" });

function setTimesteps() {
  scheduler.setTimesteps(T);
  return { timesteps: scheduler.timesteps };
}

export default {
  title: "a scheduler of 1000 timesteps",
  unit: "microseconds a call",
  nanoseconds: 1000,
  rows: [
    makeRow("new DDIMScheduler()", () => readTables(new DDIMScheduler()), makeCosineTables),
    makeRow(
      "fromConfig, SD 1.5",
      () => readTables(DDIMScheduler.fromConfig(STABLE_DIFFUSION, {}, silence)),
      makeConfiguredTables,
    ),
    makeRow("setTimesteps(1000)", setTimesteps, makeSchedule),
  ],
};
