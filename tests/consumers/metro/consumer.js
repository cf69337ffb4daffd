// Metro's resolver as @react-native/metro-config sets it, React Native's Babel preset, and Hermes.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Impossible, modules, run, runCommand } from "../tools.js";

const folder = import.meta.dirname;
const app = join(folder, "build");
const PRESET = "@react-native/babel-preset";
const PLATFORMS = { linux: "linux64-bin", darwin: "osx-bin" };

/** The path of one of Hermes' programmes. */
function hermes(path, name) {
  const platform = PLATFORMS[process.platform];
  if (!platform) throw new Impossible(`there is no Hermes for ${process.platform}`);
  return join(modules, path, platform, name);
}

/** Bundles the app, in a folder that holds what Metro makes a map of and nothing else. */
async function bundle(resolver, presetOptions) {
  mkdirSync(app, { recursive: true });
  cpSync(join(folder, "App.js"), join(app, "App.js"));
  for (const name of ["ddim-wasm", "@babel/runtime"]) {
    cpSync(join(modules, name), join(app, "node_modules", name), { recursive: true });
  }
  const metro = JSON.parse(readFileSync(join(folder, "metro.config.json"), "utf8"));
  Object.assign(metro.resolver, resolver);
  const config = { ...metro, watchFolders: [join(modules, "metro-runtime")] };
  writeFileSync(join(app, "metro.config.json"), JSON.stringify(config));
  writeFileSync(join(app, "babel.config.json"), JSON.stringify({ presets: [[PRESET, presetOptions]] }));

  const options = ["--out", "app.js", "--platform", "android", "--config", "metro.config.json", "--reset-cache"];
  await runCommand(app, "metro", ["build", "App.js", ...options], { node: 22 });
  const file = join(app, "app.js");
  const text = readFileSync(file, "utf8");
  if (text.includes("WebAssembly.Instance")) throw new Error("the default entry is in the bundle");
  // Hermes' command has no console.
  writeFileSync(file, `globalThis.console ??= { log: print, error: print };\n${text}`);
}

const RESOLVERS = [
  ["exports", {}],
  ["the field react-native", { unstable_enablePackageExports: false }],
];

export default [
  {
    name: "Metro, compiled by today's Hermes (whose engine npm does not have)",
    packages: ["metro", PRESET, "hermes-compiler"],
    run: async () => {
      await bundle({}, {});
      const compiler = hermes("hermes-compiler/hermesc", "hermesc");
      return { output: await run(app, compiler, ["-O", "-emit-binary", "-out", "app.hbc", "app.js"]), steps: 0 };
    },
  },
  ...RESOLVERS.map(([name, resolver]) => ({
    name: `Metro by ${name}, run by an older Hermes`,
    packages: ["metro", PRESET, "hermes-engine-cli"],
    run: async () => {
      // That engine has no classes: the preset's profile for all engines turns them into functions.
      await bundle(resolver, { unstable_transformProfile: "default" });
      return { output: await run(app, hermes("hermes-engine-cli", "hermes"), ["app.js"]) };
    },
  })),
];
