// The pipeline, under either of the names it has had.

const { DiffusionPipeline, DDIMPipeline } = await import("ddim-wasm");

export const Pipeline = DiffusionPipeline ?? DDIMPipeline;
