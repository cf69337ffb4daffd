import { join } from "node:path";

// The packages are installed in the folder above.
export default { distDir: "build", turbopack: { root: join(import.meta.dirname, "..") } };
