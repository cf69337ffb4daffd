import { slug } from "github-slugger";
import { defineConfig } from "vitepress";
import { english, chinese } from "./locales.js";
import { playground } from "./playground.js";
import { linkToRepository } from "./repository-links.js";
import { tokenize } from "./search.js";

const base = process.env.DOCS_BASE ?? "/";

export default defineConfig({
  title: "ddim-wasm",
  description: english.description,
  base,
  srcExclude: ["test/**"],
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}logo.svg` }],
    ["link", { rel: "stylesheet", href: `${base}site.css` }],
  ],
  locales: { root: english, zh: chinese },
  themeConfig: {
    logo: { src: "/logo.svg", alt: "" },
    socialLinks: [{ icon: "github", link: "https://github.com/ddim-wasm/ddim-wasm" }],
    search: {
      provider: "local",
      options: { locales: { zh: { translations: chinese.search } }, miniSearch: { options: { tokenize } } },
    },
  },
  markdown: {
    // Their colours have the contrast that small text needs.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    anchor: { slugify: slug }, // links to headings work on GitHub and on the site
    config: (md) => md.use(linkToRepository),
  },
  vite: playground,
});
