// The lines of JavaScript that draw what the playground is set to.

import { whyNot } from "./settings.js";

const CLASSES = {
  ddim: "DDIMScheduler",
  dpm: "DPMSolverMultistepScheduler",
  lcm: "LCMScheduler",
  tcd: "TCDScheduler",
};

/**
 * @param {import("./settings.js").Settings} settings
 * @returns {string}
 */
export function codeOf(settings) {
  const { model, sampler, steps, seed, guidance, start } = settings;
  const isWords = model === "words";
  const guided = isWords ? guidance > 1 : true;
  const condition = isWords ? `await encode(${JSON.stringify(settings.prompt)})` : String(settings.digit);
  const none = isWords ? `await encode(${JSON.stringify(settings.negative)})` : "10";
  const starts = {
    noise: isWords ? "dims: [1, 4, 16, 16]," : "dims: [1, 1, 32, 32],",
    sketch: `sample: sketch,\n  strength: ${settings.strength},`,
    mask: `known: picture,\n  mask,\n  strength: ${settings.strength},`,
  };
  const lines = [
    starts[start],
    `generator: new Generator(${seed}),`,
    `numInferenceSteps: ${steps},`,
    `condition: [${condition}],`,
    guided && `unconditional: ${none},`,
    guided && `guidanceScale: ${guidance},`,
    whyNot(settings, "eta") === null && settings.eta > 0 && `eta: ${settings.eta},`,
    !isWords && sampler === "ddim" && "useClippedModelOutput: true,",
  ].filter(Boolean);
  return `import { ${["DiffusionPipeline", CLASSES[sampler], "Generator"].toSorted(byName).join(", ")} } from "ddim-wasm";

const scheduler = ${schedulerOf(settings)};
const pipeline = new DiffusionPipeline({ scheduler, model: unet });
const ${isWords ? "latents" : "digit"} = await pipeline.run({
  ${lines.join("\n  ")}
});`;
}

const byName = (a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1);

function schedulerOf(settings) {
  const { model, sampler, spacing, precision } = settings;
  const options = [
    whyNot(settings, "spacing") === null && `timestepSpacing: "${spacing}"`,
    model === "digits" && (sampler === "dpm" ? 'betaSchedule: "squaredcos_cap_v2", thresholding: true' : null),
    precision === "float16" && 'computeDtype: "float16"',
  ].filter(Boolean);
  const text = options.length ? `{ ${options.join(", ")} }` : "";
  if (model === "digits") return `new ${CLASSES[sampler]}(${text})`;
  return `${CLASSES[sampler]}.fromConfig(schedulerConfig${text && `, ${text}`})`;
}
