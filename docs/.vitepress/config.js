import { defineConfig } from "vitepress";

const REPOSITORY = "https://github.com/ddim-wasm/ddim-wasm";

export default defineConfig({
  title: "ddim-wasm",
  description: "The DDIM sampler for diffusion models, in WebAssembly",
  base: process.env.DOCS_BASE ?? "/",
  themeConfig: {
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
  },
  locales: {
    root: {
      label: "English",
      lang: "en",
      themeConfig: { nav: [{ text: "Playground", link: "/playground" }] },
    },
    zh: {
      label: "简体中文",
      lang: "zh-CN",
      themeConfig: { nav: [{ text: "试用", link: "/zh/playground" }] },
    },
  },
  ignoreDeadLinks: true,
});
