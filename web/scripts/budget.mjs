// Weighs the JavaScript that each page loads before one can write in it, and fails when it is over its budget.
// Counted as a browser loads it: gzip at NGINX's level, inline scripts with their page, scripts for browsers without
// modules not at all.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { pages, scripts } from "./pages.mjs";

const LIMIT_KB = 170;
const LEVEL = 6;

let failed = false;
for (const page of await pages()) {
  const html = await readFile(page, "utf8");
  let bytes = 0;
  for (const { src, legacy, text } of scripts(html)) {
    if (legacy) continue;
    bytes += gzipSync(src === null ? text : await readFile(`out${src}`), { level: LEVEL }).length;
  }
  const kb = bytes / 1000;
  const over = kb > LIMIT_KB;
  failed ||= over;
  console.log(`budget: ${page.padEnd(24)} ${kb.toFixed(1).padStart(6)} KB of ${LIMIT_KB} KB JavaScript, gzip${over ? "  TOO MUCH" : ""}`);
}
if (failed) process.exit(1);
