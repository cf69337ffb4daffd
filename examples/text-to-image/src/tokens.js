// From a prompt to the numbers of its tokens, as CLIP's text encoders take them.

import { Tokenizer } from "@huggingface/tokenizers";

/**
 * @typedef {object} Tokens
 * @property {number} length how many numbers a prompt becomes
 * @property {(prompt: string) => number[]} encode
 */

/**
 * @param {import("./network.js").Read} read
 * @returns {Promise<Tokens>}
 */
export async function loadTokens(read) {
  const text = async (path) => {
    const bytes = await read(path);
    return bytes && new TextDecoder().decode(bytes);
  };
  const config = JSON.parse((await text("tokenizer/tokenizer_config.json")) ?? "{}");
  const vocabulary = await text("tokenizer/tokenizer.json");
  const description = vocabulary
    ? JSON.parse(vocabulary)
    : describeClip(await text("tokenizer/vocab.json"), await text("tokenizer/merges.txt"));
  const tokenizer = new Tokenizer(description, config);
  const length = Math.min(config.model_max_length ?? 77, 77);
  const padding = config.pad_token?.content ?? config.pad_token ?? "<|endoftext|>";
  const pad = tokenizer.token_to_id(padding) ?? 0;

  return {
    length,
    encode(prompt) {
      const { ids } = tokenizer.encode(prompt);
      if (ids.length > length) {
        throw new RangeError(`the prompt has ${ids.length - 2} tokens, and the model reads ${length - 2}: shorten it`);
      }
      return [...ids, ...Array(length - ids.length).fill(pad)];
    },
  };
}

/** What tokenizer.json says for CLIP, for folders that have its two older files only. */
function describeClip(vocab, merges) {
  if (!vocab || !merges) throw new Error("tokenizer/tokenizer.json is missing, and so is vocab.json or merges.txt");
  const ids = JSON.parse(vocab);
  const [start, end] = ["<|startoftext|>", "<|endoftext|>"];
  return {
    added_tokens: [start, end].map((content) => ({ id: ids[content], content, special: true, normalized: false })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: "Removed",
          invert: true,
        },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, ids[end]],
      cls: [start, ids[start]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: null,
    model: {
      type: "BPE",
      unk_token: end,
      end_of_word_suffix: "</w>",
      vocab: ids,
      merges: merges.split("\n").filter((line) => line !== "" && !line.startsWith("#version")),
    },
  };
}
