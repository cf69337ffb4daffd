const library = require("ddim-wasm");

import("./digest.js").then(({ digest }) => console.log(digest(library)));
