// The models' files by the paths that src/models.ts reads them by, and where they are in the other examples.

/** @type {Record<"shapes" | "digits", { folder: string, files: string[] }>} */
export const MODEL_FILES = {
  shapes: {
    folder: "../text-to-image/model",
    files: [
      "model_index.json",
      "scheduler/scheduler_config.json",
      "tokenizer/tokenizer.json",
      "tokenizer/tokenizer_config.json",
      "text_encoder/model.onnx",
      "unet/config.json",
      "unet/model.onnx",
      "vae_decoder/config.json",
      "vae_decoder/model.onnx",
    ],
  },
  digits: { folder: "../digits/model", files: ["digits-unet.onnx"] },
};
