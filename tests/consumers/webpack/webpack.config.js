import { join } from "node:path";

export default {
  mode: "production",
  entry: "./src/index.js",
  output: { path: join(import.meta.dirname, "build"), filename: "main.js" },
};
