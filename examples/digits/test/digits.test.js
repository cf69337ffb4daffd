// The command line as its users run it.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DDIMScheduler, Generator } from "ddim-wasm";
import { decode } from "fast-png";
import { Tensor } from "onnxruntime-web";
import { loadModel } from "../src/loading.js";
import { drawDigits } from "../src/sampling.js";
import { sampleInFloat64 } from "./reference.js";

const program = fileURLToPath(new URL("../src/index.js", import.meta.url));
const unet = await loadModel("digits-unet");
const classifier = await loadModel("digits-classifier");

const DEFAULTS = {
  scheduler: "ddim",
  digits: "0123456789",
  steps: 20,
  seed: 0,
  guidance: 2,
  eta: 0,
  spacing: "leading",
};

const folder = mkdtempSync(join(tmpdir(), "digits-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs the program in `folder` with these options; what it printed, its samples and its sheet. */
function draw(options) {
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  const files = ["--out", "sheet.png", "--raw", "samples.f32"];
  const stdout = execFileSync(process.execPath, [program, ...args, ...files], { cwd: folder, encoding: "utf8" });
  const bytes = readFileSync(join(folder, "samples.f32"));
  const samples = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  return { stdout, samples, sheet: decode(readFileSync(join(folder, "sheet.png"))) };
}

/** The largest difference; NaN and differing lengths fail. */
function assertNear(actual, expected, tolerance) {
  assert.equal(actual.length, expected.length);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0);
  assert.ok(worst <= tolerance, `differs by ${worst}, more than ${tolerance}`);
}

for (const eta of [0, 1]) {
  for (const seed of [0, 1, 2, 3, 4]) {
    test(`all ten digits of seed ${seed}, eta ${eta} are recognised`, () => {
      assert.match(draw({ seed, eta }).stdout, /sheet\.png\n10 of 10 recognised\n$/);
    });
  }
}

for (const seed of [0, 1, 2, 3, 4]) {
  test(`all ten digits of seed ${seed} are recognised after 8 steps of dpm`, () => {
    const { stdout } = draw({ seed, scheduler: "dpm", steps: 8 });
    assert.match(stdout, /drawing 10 digits in 8 steps\n[^]*sheet\.png\n10 of 10 recognised\n$/);
  });
}

for (const options of [
  {},
  { eta: 1 },
  { eta: 0.5, digits: "5", seed: 7, steps: 10, guidance: 3.5 },
  { eta: 0, digits: "9417", seed: -1, steps: 8, guidance: 0, spacing: "trailing" },
  { scheduler: "dpm", steps: 8, spacing: "trailing" },
  { scheduler: "dpm", digits: "271", seed: 3, steps: 20, guidance: 1, spacing: "trailing" },
]) {
  test(`the samples of ${JSON.stringify(options)} are within 2e-3 of a float64 loop`, async () => {
    assertNear(draw(options).samples, await sampleInFloat64(unet, { ...DEFAULTS, ...options }), 2e-3);
  });
}

test("dpm takes 10 steps, trailing, if not told otherwise", () => {
  const given = draw({ scheduler: "dpm", digits: "7", steps: 10, spacing: "trailing" });
  assert.match(given.stdout, /in 10 steps/);
  assert.deepEqual(draw({ scheduler: "dpm", digits: "7" }), given);
});

test("dpm changes digits too", () => {
  const { stdout, samples } = draw({ scheduler: "dpm", strength: 0.6 });
  assert.match(stdout, /drawing 10 digits in 10 steps\nchanging them\n/);
  assert.match(stdout, /10 of 10 recognised\n$/);
  assert.notDeepEqual(samples, draw({ scheduler: "dpm" }).samples);

  const from = join(folder, "from.f32");
  writeFileSync(from, Buffer.from(samples.buffer));
  const painted = draw({ scheduler: "dpm", from, inpaint: "top" });
  assert.match(painted.stdout, /10 of 10 recognised\n$/);
  const isKept = (i) => i % 1024 >= 512;
  assert.deepEqual(
    painted.samples.filter((_, i) => isKept(i)),
    samples.filter((_, i) => isKept(i)),
  );
});

test("linspace draws something else", () => {
  const [linspace, leading] = ["linspace", "leading"].map((spacing) => draw({ spacing, digits: "3", steps: 5 }));
  assert.notDeepEqual(linspace.samples, leading.samples);
});

test("without options the sheet is digits.png, printed with its path", () => {
  const sheet = fileURLToPath(new URL("../digits.png", import.meta.url));
  rmSync(sheet, { force: true });
  const stdout = execFileSync(process.execPath, [program], { cwd: folder, encoding: "utf8" });
  assert.equal(
    stdout,
    [
      "loading the models",
      "drawing 10 digits in 20 steps",
      "reading the digits",
      sheet,
      "10 of 10 recognised",
      "",
    ].join("\n"),
  );
  assert.deepEqual(decode(readFileSync(sheet)), draw(DEFAULTS).sheet);
});

test("digits of --from are changed, more the stronger", () => {
  const drawn = draw({});
  const from = join(folder, "from.f32");
  writeFileSync(from, Buffer.from(drawn.samples.buffer));
  const distance = (strength) => {
    const { samples, stdout } = draw({ from, strength });
    assert.match(stdout, /(9|10) of 10 recognised\n$/); // they stay the digits they were
    return samples.reduce((sum, value, i) => sum + Math.abs(value - drawn.samples[i]), 0);
  };
  const distances = [0.1, 0.5, 0.9].map(distance);
  assert.ok(distances[0] < distances[1] && distances[1] < distances[2], distances.join());
  assert.match(draw({ from, strength: 1, digits: "9876543210" }).stdout, /10 of 10 recognised\n$/);
});

for (const [half, isPainted] of [
  ["top", (x, y) => y < 16],
  ["bottom", (x, y) => y >= 16],
  ["left", (x) => x < 16],
  ["right", (x) => x >= 16],
]) {
  test(`the ${half} of the digits of --from is painted anew, and nothing else`, () => {
    const from = join(folder, "from.f32");
    const drawn = draw({ seed: 3 }).samples;
    writeFileSync(from, Buffer.from(drawn.buffer));
    const { samples } = draw({ from, inpaint: half });
    let painted = 0;
    samples.forEach((value, i) => {
      if (isPainted(i % 32, Math.floor(i / 32) % 32)) painted += value === drawn[i] ? 0 : 1;
      else assert.equal(value, drawn[i]);
    });
    assert.ok(painted > 4000, `${painted} of 5120 pixels are others`);
  });
}

test("an inversion converges, and the digits come back", () => {
  const from = join(folder, "from.f32");
  const drawn = draw({ digits: "380" }).samples;
  writeFileSync(from, Buffer.from(drawn.buffer));
  const { stdout, samples } = draw({ from, digits: "380", invert: true });
  const levels = samples.map((value, i) => Math.abs(value - drawn[i]) * 127.5);
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  assert.ok(mean < 1, `${mean} grey levels off on average`);
  const most = Math.max(...levels);
  assert.match(stdout, /finding their noise in 50 steps\ndrawing them from it in 50 steps\n/);
  assert.match(stdout, /\nthe inversion converged in every step\n/);
  assert.ok(
    stdout.includes(`${mean.toFixed(2)} grey levels of 255 off on average, ${most.toFixed(0)} at most\n`),
    stdout,
  );
  assert.match(stdout, /3 of 3 recognised\n$/);
});

test("an inversion in too few steps says that it did not converge, and what to do", () => {
  const { stdout } = draw({ digits: "3", steps: 5, invert: true });
  assert.match(stdout, /\nthe inversion did not converge \(worst at timestep \d+\): take more --steps\n/);
});

for (const half of ["top", "bottom", "left", "right"]) {
  test(`without --from the digits are drawn first, and their ${half} half is painted anew as the same digits`, () => {
    const drawn = draw({}).samples;
    const { stdout, samples, sheet } = draw({ inpaint: half });
    assert.match(stdout, new RegExp(`drawing 10 digits in 20 steps\\npainting the ${half} half of each\\n`));
    assert.match(stdout, /10 of 10 recognised\n$/);
    const changed = samples.filter((value, i) => Math.abs(value - drawn[i]) > 0.5).length;
    assert.ok(changed > 200, `${changed} pixels are others`);
    assert.equal(sheet.height, 6 + 2 * 102, "before, and after");
  });
}

test("--inpaint alone paints the bottom", () => {
  assert.match(draw({ digits: "2", inpaint: true, steps: 4 }).stdout, /painting the bottom half of each\n/);
});

test("without --from the digits are drawn first, and changed by --strength", () => {
  const { stdout, samples } = draw({ strength: 0.6 });
  assert.match(stdout, /drawing 10 digits in 20 steps\nchanging them\n/);
  assert.notDeepEqual(samples, draw({}).samples);
  assert.match(stdout, /10 of 10 recognised\n$/);
});

test("--help has examples, and says what to expect", () => {
  const help = execFileSync(process.execPath, [program, "--help"], { encoding: "utf8" });
  for (const words of ["npm run demo -- --invert", "npm run demo -- --inpaint", "What to expect:"]) {
    assert.ok(help.includes(words), words);
  }
});

// script(1) of util-linux makes a terminal for the program.
const hasScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;

test(
  "in a terminal there is a bar, and an interrupted program leaves the terminal as it was",
  { skip: hasScript ? false : "there is no script(1) of util-linux to make a terminal with" },
  async () => {
    const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)} --out sheet.png`;
    const child = spawn("script", ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
    });
    let shown = "";
    let isInterrupted = false;
    child.stdout.setEncoding("utf8").on("data", (text) => {
      shown += text;
      if (isInterrupted || !/ [1-9]\d* of 20/.test(shown)) return;
      isInterrupted = true;
      child.stdin.write("\x03"); // Ctrl-C
    });
    const [code] = await once(child, "close");
    assert.ok(isInterrupted, shown);
    assert.equal(code, 128 + 2, "ended by the interrupt");
    assert.match(shown, /drawing 10 digits in 20 steps/);
    // Whatever is switched off (wrapping is 7, the cursor 25) is switched on again.
    for (const mode of ["7", "25"]) {
      const switched = Array.from(shown.matchAll(new RegExp(`\\x1b\\[\\?${mode}([hl])`, "g")), ([, to]) => to);
      assert.notEqual(switched.at(-1), "l", `mode ${mode}`);
    }
  },
);

test("the sheet shows the samples in rows of ten, and the count is the classifier's", async () => {
  const digits = "0123456789012";
  const { stdout, samples, sheet } = draw({ digits, steps: 4, guidance: 0 });
  assert.deepEqual([sheet.width, sheet.height, sheet.channels, sheet.depth], [6 + 10 * 102, 6 + 2 * 102, 1, 8]);

  const expected = new Uint8Array(sheet.width * sheet.height).fill(64);
  samples.forEach((value, i) => {
    const [digit, y, x] = [Math.floor(i / 1024), Math.floor(i / 32) % 32, i % 32];
    const top = 6 + 102 * Math.floor(digit / 10) + 3 * y;
    const left = 6 + 102 * (digit % 10) + 3 * x;
    const grey = Math.round(Math.min(Math.max(127.5 * (value + 1), 0), 255));
    for (let row = top; row < top + 3; row++)
      expected.fill(grey, row * sheet.width + left, row * sheet.width + left + 3);
  });
  assertNear(sheet.data, expected, 1);

  const { logits } = await classifier.run({ image: new Tensor("float32", samples, [13, 1, 32, 32]) });
  const recognised = Array.from(digits).filter((digit, i) => {
    const scores = Array.from(logits.data.slice(10 * i, 10 * i + 10));
    return scores.every((score) => score <= scores[digit]);
  });
  assert.ok(recognised.length < 13, "unguided digits are other ones than asked for");
  assert.ok(stdout.endsWith(`\n${recognised.length} of 13 recognised\n`), stdout);
});

test("a step on onnxruntime tensors gives an onnxruntime tensor, with the values of a step on arrays", () => {
  const scheduler = new DDIMScheduler();
  scheduler.setTimesteps(20);
  const dims = [2, 1, 4, 4];
  const [sample, modelOutput] = [new Generator(1), new Generator(2)].map((generator) => generator.randn(dims).data);

  const result = scheduler.step(new Tensor("float32", modelOutput, dims), new Tensor("float32", sample, dims), 500);
  assert.ok(result instanceof Tensor);
  assert.equal(result.type, "float32");
  assert.deepEqual(result.dims, dims);
  assert.deepEqual(result.data, scheduler.step(modelOutput, sample, 500));
});

test("an aborted signal stops before the next model call", async () => {
  const controller = new AbortController();
  let steps = 0;
  const onStep = () => ++steps === 2 && controller.abort(new Error("enough"));
  const options = { ...DEFAULTS, digits: [3], signal: controller.signal };
  await assert.rejects(drawDigits(unet, options, new Generator(0), onStep), /enough/);
  assert.equal(steps, 2);
});

for (const [args, message] of [
  [["--from", program], /'--from <file>' takes --strength, --inpaint or --invert beside it/],
  [["--from", program, "--strength", "2"], /Expected a number above 0 and at most 1/],
  [["--from", program, "--inpaint", "middle"], /Allowed choices are top, bottom, left, right/],
  [["--from", program, "--invert"], /expected 40960 bytes for 10 digits, got \d+/],
  [["--from", "missing.f32", "--invert"], /names no file that can be read: ENOENT/],
  [["--from", program, "--invert", "--strength", "1"], /'--invert' cannot be used with option '--strength <share>'/],
  [["--digit", "1"], /unknown option '--digit'/],
  [["-x"], /unknown option '-x'/],
  [["7"], /too many arguments/],
  [["--steps"], /'--steps <count>' argument missing/],
  [["--digits", "12x"], /'--digits <digits>' argument '12x' is invalid\. Expected 1 to 100 of the digits 0 to 9/],
  [["--digits", ""], /'--digits <digits>'.*Expected 1 to 100/],
  [["--digits", "1".repeat(101)], /'--digits <digits>'.*Expected 1 to 100/],
  [["--steps", "0"], /'--steps <count>' argument '0' is invalid\. Expected a whole number from 1 to 1000/],
  [["--steps", "1001"], /'--steps <count>'.*from 1 to 1000/],
  [["--steps", "2.5"], /'--steps <count>'.*whole number/],
  [["--scheduler", "euler"], /'--scheduler <name>' argument 'euler' is invalid\. Allowed choices are ddim, dpm/],
  [["--scheduler", "dpm", "--eta", "0.5"], /'--scheduler dpm' adds no noise: it takes no --eta but 0/],
  [["--scheduler", "dpm", "--invert"], /'--scheduler dpm' cannot be used with option '--invert'/],
  [
    ["--scheduler", "dpm", "--spacing", "leading", "--steps", "1000"],
    /'--scheduler dpm' takes at most 999 steps with --spacing leading/,
  ],
  [["--steps", "ten"], /'--steps <count>'.*whole number/],
  [["--seed", "1.5"], /'--seed <seed>' argument '1\.5' is invalid\. Expected a whole number from -2\^63 to 2\^64 - 1/],
  [["--seed", "18446744073709551616"], /'--seed <seed>'.*2\^64 - 1/],
  [["--seed", "-9223372036854775809"], /'--seed <seed>'.*-2\^63/],
  [["--guidance", "NaN"], /'--guidance <scale>' argument 'NaN' is invalid\. Expected a finite number/],
  [["--guidance", ""], /'--guidance <scale>'.*finite number/],
  [["--eta", "2"], /'--eta <share>' argument '2' is invalid\. Expected a number from 0 to 1/],
  [["--eta", "-0.1"], /'--eta <share>'.*from 0 to 1/],
  [
    ["--spacing", "foo"],
    /'--spacing <name>' argument 'foo' is invalid\. Allowed choices are leading, linspace, trailing/,
  ],
  [["--out", "missing/sheet.png"], /'--out <file>' names no file that can be written: ENOENT/],
  [["--out", "."], /'--out <file>' names no file that can be written: EISDIR/],
  [["--out", "kept.png/sheet.png"], /'--out <file>' names no file that can be written: ENOTDIR/],
  [["--out", ""], /'--out <file>'.*Expected the name of a file/],
  [["--out", "kept.png", "--raw", "missing/samples"], /'--raw <file>' names no file that can be written: ENOENT/],
  [["--out", "new.png", "--raw", "missing/samples"], /'--raw <file>' names no file that can be written: ENOENT/],
  [["--out", "kept.png", "--raw", "./kept.png"], /'--out' and '--raw' name the same file/],
]) {
  test(`${JSON.stringify(args)} is refused in one line, before anything is written`, () => {
    const cwd = mkdtempSync(join(folder, "refused-"));
    writeFileSync(join(cwd, "kept.png"), "kept");
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd, encoding: "utf8" });
    assert.match(stderr, /^error: [^\n]+\n$/);
    assert.match(stderr, message);
    assert.equal(stdout, "");
    assert.equal(status, 1);
    assert.deepEqual(readdirSync(cwd), ["kept.png"]);
    assert.equal(readFileSync(join(cwd, "kept.png"), "utf8"), "kept");
  });
}
