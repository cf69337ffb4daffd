// The page's address holds the settings, and whether they were drawn.

import { onMounted, onUnmounted } from "vue";
import { fitsInLink, readSettings, writeSettings } from "./settings.js";

/** Is in a link to a picture, which is then drawn at once. */
const DRAWN = "&draw";

/** How long the settings have to rest before they go into the address. */
const REST = 200;

/** @returns {string} the address of the settings; without a painting that is too large for one */
export function linkTo(settings, isDrawn) {
  if (!fitsInLink(settings)) return `#${writeSettings({ ...settings, sketch: "", mask: "", over: "" })}`;
  return `#${writeSettings(settings)}${isDrawn ? DRAWN : ""}`;
}

/**
 * @param {() => import("./settings.js").Settings} current
 * @param {(settings: import("./settings.js").Settings, isDrawn: boolean) => void} onOpen is told what an address says
 */
export function useLink(current, onOpen) {
  let timer;
  let pathname;

  const isDrawn = () => location.hash.endsWith(DRAWN);

  /** VitePress would load the page anew where only what is after the # has changed: it does not get the event. */
  function goBack(event) {
    if (location.pathname !== pathname) return;
    event.stopImmediatePropagation();
    open();
  }

  function open() {
    clearTimeout(timer);
    onOpen(readSettings(location.hash.slice(1)), isDrawn());
  }

  /** A drawn picture keeps its entry in the history: settings that change after it begin the next. */
  function write(drawn) {
    clearTimeout(timer);
    const link = linkTo(current(), drawn);
    if (link === location.hash || `${link}${DRAWN}` === location.hash) return;
    if (isDrawn()) {
      history.replaceState({ ...history.state, scrollPosition: scrollY }, "");
      history.pushState({ scrollPosition: scrollY }, "", link);
    } else {
      history.replaceState({ ...history.state, scrollPosition: scrollY }, "", link);
    }
    // So that VitePress's links to the page in other languages lead to the same picture.
    dispatchEvent(new HashChangeEvent("hashchange"));
  }

  onMounted(() => {
    pathname = location.pathname;
    open();
    addEventListener("popstate", goBack, { capture: true });
  });
  onUnmounted(() => {
    clearTimeout(timer);
    removeEventListener("popstate", goBack, { capture: true });
  });

  return {
    changed() {
      clearTimeout(timer);
      timer = setTimeout(() => write(false), REST);
    },
    drawn: () => write(true),
  };
}
