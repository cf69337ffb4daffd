import { runCommand } from "../tools.js";

const folder = import.meta.dirname;

/** One of Jest's configurations; each finds the test that its language is for. */
function jest(name, packages, config, env = {}) {
  return {
    name: `Jest, ${name}`,
    packages: ["jest", ...packages],
    run: async () => ({
      output: await runCommand(folder, "jest", ["--ci", "--no-cache", "--config", JSON.stringify(config)], { env }),
    }),
  };
}

const rootDir = folder;
const javascript = ["<rootDir>/step.test.js"];
const babel = { "\\.js$": ["babel-jest", { presets: [["@babel/preset-env", { targets: { node: "20" } }]] }] };
const typed = { "\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json" }] };
const typescript = ["<rootDir>/step.test.ts"];

export default [
  jest("CommonJS through babel-jest", ["babel-jest"], { rootDir, testMatch: javascript, transform: babel }),
  jest("CommonJS through ts-jest", ["ts-jest", "typescript"], {
    rootDir,
    testMatch: typescript,
    transform: typed,
  }),
  jest("jsdom", ["jest-environment-jsdom"], {
    rootDir,
    testMatch: javascript,
    transform: babel,
    testEnvironment: "jsdom",
  }),
  jest(
    "ES modules",
    [],
    { rootDir, testMatch: javascript, transform: {} },
    { NODE_OPTIONS: "--experimental-vm-modules" },
  ),
];
