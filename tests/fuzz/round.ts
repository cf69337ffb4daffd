// A round: calls with right and wrong arguments that one seed decides, and what has to hold after each.

import { createHash } from "node:crypto";
import type { Library } from "../implementations.js";
import { bytesOf } from "../tensors.js";
import { CALLS } from "./calls.js";
import { OwnError, World } from "./world.js";

/** Calls in a round. */
export const CALLS_OF_ROUND = 50;

/** A fixed computation that every kernel has a share in, as text. */
export function takeCanary(library: Library): string {
  const scheduler = new library.DDIMScheduler({ thresholding: true, sampleMaxValue: 2 });
  scheduler.setTimesteps(10);
  const generator = new library.Generator(3);
  const [x, m] = [generator.randn([2, 20]), generator.randn([4, 20])];
  const options = { eta: 0.5, generator, guidanceScale: 3, guidanceRescale: 0.5 };
  const half = scheduler.step(Uint16Array.from([15360, 1, 2]), Uint16Array.from([15360, 16000, 3]), 500);
  const hash = createHash("sha1");
  for (const data of [scheduler.step(m, x, [500, 100], options).data, half]) hash.update(bytesOf(data));
  return hash.digest("hex");
}

/** Names that every object inherits for a while. */
const POLLUTION: [name: string, value: unknown][] = [
  ["eta", 1],
  ["out", new Float32Array(3)],
  ["type", "float16"],
  ["guidanceScale", 3],
  ["dims", [1]],
  ["data", new Float32Array(1)],
  ["thresholding", true],
  ["generator", 7],
  ["aborted", true],
  ["element", 3],
  ["0", 5],
];

/** What every object inherits from. */
const everything = Object.prototype as unknown as Record<string, unknown>;

/** Errors that name no argument: those of the wrong moment, and of what a model has made. */
const OTHER_MESSAGES =
  /^(call (scheduler\.)?setTimesteps first|the run was aborted|the (model output|sample) of step \d+, at timestep \d+, is not finite|no memory left for a resident tensor|beta \d+ of the schedule expected)/;

/** Engines' own errors about what a call was given, from before the library sees it. */
const OF_ENGINE = /proxy that has been revoked|^Class constructor \w+ cannot be invoked without 'new'$/;

/** What is wrong about an error that a call threw; null where nothing is. */
function faultOf(error: unknown, world: World): string | null {
  if (world.thrown.some((own) => Object.is(own, error)) || error instanceof OwnError) return null;
  if (!(error instanceof Error)) return "something was thrown that is no error";
  if (error.name === "RuntimeError") return "a trap";
  if (OF_ENGINE.test(error.message)) return null;
  const isKnown = [TypeError, RangeError, Error].some((Class) => error.constructor === Class);
  if (!isKnown) return "an error of another class";
  if (error.constructor === Error && !OTHER_MESSAGES.test(error.message)) {
    return /^"[\w.]+" is a resident tensor of dims|^"source" came too late/.test(error.message)
      ? null
      : "a plain Error";
  }
  // The name of an argument, or of a property of one, comes first.
  const isNamed = /^"[A-Za-z]\w*(\.\w+|\[\w+\])*" /.test(error.message) || OTHER_MESSAGES.test(error.message);
  if (!isNamed) return "a message that names no argument";
  return error.message.length > 1000 ? "a message of more than 1,000 characters" : null;
}

/** The arrays of a call that failed must hold what they held before, and the generators be where they were. */
function findWritten({ watched, states, generators, hasMeddled }: World): string | null {
  if (hasMeddled) return null;
  if (states.some((state, i) => Buffer.compare(state, generators[i].getState()) !== 0)) return "a generator has moved";
  for (const { values, copy } of watched) {
    if (values.length === 0 || values.length !== copy.length) continue;
    if (Buffer.compare(bytesOf(values), bytesOf(copy)) !== 0) return "an argument was written to";
  }
  return null;
}

export class Fault extends Error {}

const names = Object.entries(CALLS).flatMap(([name, [weight]]) => Array<string>(weight).fill(name));

/** Makes the calls of a round. @throws Fault where something does not hold */
export async function playRound(library: Library, seed: number, canary: string): Promise<number> {
  const world = new World(library, seed);
  const { random } = world;
  for (let i = 0; i < CALLS_OF_ROUND; i++) {
    const name = random.pick(names);
    const pollution = random.chance(0.03) ? random.pick(POLLUTION) : null;
    const fail = (what: string, cause?: unknown): never => {
      throw new Fault(`call ${i}, ${name}${pollution ? ` with Object.prototype.${pollution[0]}` : ""}: ${what}`, {
        cause,
      });
    };
    world.begin();
    let isError = false;
    let error: unknown;
    if (pollution) everything[pollution[0]] = pollution[1];
    try {
      const result = CALLS[name]![1](world);
      if (result instanceof Promise) await result;
    } catch (thrown) {
      isError = true;
      error = thrown;
    } finally {
      if (pollution) delete everything[pollution[0]];
    }
    if (isError) {
      const fault = faultOf(error, world) ?? (name === "run" ? null : findWritten(world));
      if (fault) fail(`${fault}: ${String(error)}`, error);
    }
    if (takeCanary(library) !== canary) fail("a step gives other results from then on");
  }
  world.end();
  return CALLS_OF_ROUND;
}
