import { DDIMScheduler } from "ddim-wasm";

// @ts-expect-error no such option
void new DDIMScheduler({ beta_schedule: "linear" });
