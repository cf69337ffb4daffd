// A scheduler's configuration in the form of diffusers' scheduler_config.json.

import { isRecord } from "../checks/checks.js";
import { shorten, show, wrongType } from "../checks/errors.js";
import type { OptionTable } from "../checks/options.js";
import type { SchedulerOptions } from "./options.js";

/** How a scheduler's class reads and writes such a file. */
export interface FileFormat<O> {
  /** The class as diffusers calls it. */
  readonly className: string;
  readonly options: OptionTable;
  /** What diffusers means by a key that is missing, where that is not our default. */
  readonly missing: Partial<O>;
  /** Options that this class has no use for, and what they are then. */
  readonly ignored: Partial<O>;
  /** What a key's value means to this class, or undefined for a key that is no option and harmless; throws otherwise. */
  readonly translate?: (key: string, value: unknown) => unknown;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function exportConfig(config: object, className: string): Record<string, unknown> {
  const exported: Record<string, unknown> = { _class_name: className };
  for (const [name, value] of Object.entries(config)) {
    exported[snakeCase(name)] = Array.isArray(value) ? value.slice() : value;
  }
  return exported;
}

/** What `importConfig` read, and warnings for the user. */
export interface ImportedConfig<O> {
  readonly options: O;
  readonly warnings: readonly string[];
}

/**
 * Options from a scheduler_config.json, text or parsed, with `overrides` over them. Keys that the class does not know
 * are ignored: a scheduler is often made from another one's configuration.
 */
export function importConfig<O extends SchedulerOptions>(
  source: unknown,
  overrides: O | undefined,
  format: FileFormat<O>,
): ImportedConfig<O> {
  const config = new Map(Object.entries(parse(source)));
  const given = format.options.readGiven("overrides", overrides);
  const byKey = new Map(format.options.names.map((name) => [snakeCase(name), name]));
  const options: Record<string, unknown> = { ...format.missing };
  const unknown: string[] = [];
  for (const [key, value] of config) {
    const name = byKey.get(key);
    const meant = format.translate ? format.translate(key, value) : value;
    if (name) options[name] = meant;
    else if (meant !== undefined && !key.startsWith("_")) unknown.push(shorten(key));
  }
  Object.assign(options, given);
  const warnings: string[] = [];
  if (unknown.length > 0) {
    const some = unknown.slice(0, 8).join(", ") + (unknown.length > 8 ? ` and ${unknown.length - 8} more` : "");
    warnings.push(`config: ignored what ${format.className} does not know: ${some}`);
  }
  warnings.push(...replaceIgnored(options, format));
  warnings.push(...inheritedTraps(config.get("_class_name"), options as SchedulerOptions, format));
  return { options: options as O, warnings };
}

/** Sets the options that a class has no use for to what they are then, and says which of them were meant otherwise. */
export function replaceIgnored<O>(options: Record<string, unknown>, { className, ignored }: FileFormat<O>): string[] {
  const meant = Object.entries(ignored).filter(
    ([name, value]) => options[name] !== undefined && options[name] !== value,
  );
  Object.assign(options, Object.fromEntries(meant));
  return meant.map(([name, value]) => `${name}: ignored, ${className} works as with ${show(value)}`);
}

/** The object in a scheduler_config.json. */
export function parse(source: unknown): Record<string, unknown> {
  const expected = "a scheduler_config.json, as text or parsed";
  if (typeof source !== "string") {
    if (!isRecord(source)) throw wrongType("config", expected, source);
    return source;
  }
  let config: unknown;
  try {
    // Python writes infinities that JSON does not have.
    config = JSON.parse(source.replace(/^\uFEFF/, "").replace(/:\s*-Infinity\b/g, ":-1e999"));
  } catch (cause) {
    const reason = (cause as Error).message.slice(0, 200);
    throw new TypeError(`"config" expected ${expected}, got ${show(source)}: ${reason}`, { cause });
  }
  if (!isRecord(config)) throw wrongType("config", expected, config);
  return config;
}

/** Settings that come with a configuration and are seldom meant. */
function inheritedTraps(className: unknown, options: SchedulerOptions, format: FileFormat<unknown>): string[] {
  const warnings: string[] = [];
  // DDIM's classes have that key from each other.
  const isOwn = ["DDIMScheduler", "DDIMInverseScheduler", format.className, undefined].includes(className as string);
  if (options.setAlphaToOne === false && !isOwn) {
    warnings.push(
      `config: set_alpha_to_one is false, inherited from ${show(className)}: the last step ends at alphasCumprod[0], a little noise away from the image`,
    );
  }
  const clips = format.options.has("clipSample") && (options.clipSample ?? true);
  if (options.betaSchedule === "scaled_linear" && clips && !options.thresholding) {
    warnings.push(
      `config: clip_sample is ${options.clipSample === undefined ? "missing, which means true," : "true"} with beta_schedule "scaled_linear": latents exceed 1 and would be clipped; latent-space models want clipSample: false`,
    );
  }
  if (options.rescaleBetasZeroSnr === true && (options.predictionType ?? "epsilon") === "epsilon") {
    warnings.push(
      `config: rescale_betas_zero_snr is true with prediction_type "epsilon": no signal is left at the last timestep to take it from; it takes "v_prediction" or "sample"`,
    );
  }
  return warnings;
}
