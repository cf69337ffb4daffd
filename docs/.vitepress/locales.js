// What the site says around its pages, in each language.

import englishReference from "../reference/typedoc-sidebar.json";
import chineseReference from "../zh/reference/typedoc-sidebar.json";
import { REPOSITORY } from "./repository-links.js";

/** The pages in the order in which a newcomer reads them; each with its title in English and in Chinese. */
const GROUPS = [
  {
    titles: ["Introduction", "入门"],
    pages: [
      ["start", "Start", "快速上手"],
      ["playground", "Playground", "在线试用"],
    ],
  },
  {
    titles: ["Sampling", "采样"],
    pages: [
      ["choosing", "Sampler, steps, spacing, eta", "采样器、步数、间隔与 eta"],
      ["config", "scheduler_config.json", "scheduler_config.json"],
      ["options", "Options", "选项"],
      ["tensors", "Tensors", "张量"],
      ["seeds", "Seeds and PyTorch", "种子与 PyTorch"],
    ],
  },
  {
    titles: ["Pipeline", "流水线"],
    pages: [
      ["pipeline", "The pipeline", "流水线"],
      ["guidance", "Guidance", "引导"],
      ["images", "Image-to-image, inpainting, inversion", "图生图、局部重绘与反演"],
    ],
  },
  {
    titles: ["Porting and runtimes", "移植与运行环境"],
    pages: [
      ["porting", "Porting, name by name", "移植：名称对照"],
      ["runtimes", "Runtimes", "运行环境"],
    ],
  },
  {
    titles: ["Measured", "实测"],
    pages: [
      ["accuracy", "Accuracy", "精度"],
      ["performance", "Performance and size", "性能与体积"],
    ],
  },
];

const GUIDE = GROUPS.flatMap(({ pages }) => pages.map(([page]) => page)).filter((page) => page !== "playground");

/** The sidebars by the folders that have them. @param {number} language 0 for English, 1 for Chinese */
function sidebarsOf(language, prefix, reference) {
  const home = { text: ["API reference", "API 参考"][language], link: `${prefix}reference/` };
  const groups = GROUPS.map(({ titles, pages }) => ({
    text: titles[language],
    items: pages.map(([page, ...names]) => ({ text: names[language], link: `${prefix}${page}` })),
  }));
  return {
    [`${prefix}reference/`]: [home, ...reference.map(({ text, items }) => ({ text, items }))],
    [prefix]: [...groups, home],
  };
}

/** @param {string[]} names of the links, in the language's words */
function navOf(prefix, [start, playground, reference, more, contributing, changes, benchmark]) {
  return [
    { text: start, link: `${prefix}start`, activeMatch: `^${prefix}(${GUIDE.join("|")})(\\.html)?$` },
    { text: playground, link: `${prefix}playground` },
    { text: reference, link: `${prefix}reference/` },
    {
      text: more,
      items: [
        { text: contributing, link: `${REPOSITORY}/blob/main/CONTRIBUTING.md` },
        { text: changes, link: `${REPOSITORY}/blob/main/CHANGELOG.md` },
        { text: benchmark, link: `${REPOSITORY}/tree/main/bench` },
      ],
    },
  ];
}

export const english = {
  label: "English",
  lang: "en",
  description: "The DDIM sampler for diffusion models, in WebAssembly",
  themeConfig: {
    nav: navOf("/", ["Guide", "Playground", "API", "More", "Contributing", "Changes", "Benchmark"]),
    sidebar: sidebarsOf(0, "/", englishReference),
    outline: { level: [2, 3], label: "On this page" },
    notFound: { linkLabel: "Take me home" },
  },
};

export const chinese = {
  label: "简体中文",
  lang: "zh-CN",
  link: "/zh/",
  description: "扩散模型的 DDIM 采样器，基于 WebAssembly",
  themeConfig: {
    nav: navOf("/zh/", ["指南", "在线试用", "API", "更多", "参与贡献", "更新日志", "基准测试"]),
    sidebar: sidebarsOf(1, "/zh/", chineseReference),
    outline: { level: [2, 3], label: "本页目录" },
    docFooter: { prev: "上一页", next: "下一页" },
    returnToTopLabel: "回到顶部",
    sidebarMenuLabel: "菜单",
    langMenuLabel: "切换语言",
    skipToContentLabel: "跳转到正文",
    darkModeSwitchLabel: "主题",
    lightModeSwitchTitle: "切换到浅色主题",
    darkModeSwitchTitle: "切换到深色主题",
    notFound: {
      title: "找不到页面",
      quote: "这里没有这个页面。地址可能有误，或者页面已经移动。",
      linkLabel: "回到首页",
      linkText: "回到首页",
    },
  },
  search: {
    button: { buttonText: "搜索", buttonAriaLabel: "搜索" },
    modal: {
      displayDetails: "显示详细列表",
      resetButtonTitle: "清除查询",
      backButtonTitle: "关闭搜索",
      noResultsText: "没有找到结果：",
      footer: {
        selectText: "选择",
        selectKeyAriaLabel: "回车",
        navigateText: "切换",
        navigateUpKeyAriaLabel: "上方向键",
        navigateDownKeyAriaLabel: "下方向键",
        closeText: "关闭",
        closeKeyAriaLabel: "退出键",
      },
    },
  },
};
