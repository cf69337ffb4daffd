import { runCommand } from "../tools.js";

export default [
  {
    name: "vitest",
    packages: ["vitest"],
    run: async () => ({ output: await runCommand(import.meta.dirname, "vitest", ["run"], { node: 22 }) }),
  },
];
