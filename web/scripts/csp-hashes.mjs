// Lists the inline scripts of the exported pages for the Content-Security-Policy: one line of 'sha256-…' sources
// in out/.csp-script-hashes, which the NGINX configuration takes over. Next's export has such scripts on each page
// and no server to give them a nonce.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { pages, scripts } from "./pages.mjs";

const sources = new Set();
for (const page of await pages()) {
  for (const { src, text } of scripts(await readFile(page, "utf8"))) {
    if (src === null) sources.add(`'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  }
}
if (sources.size === 0) throw new Error("no inline script in out/: has the export changed its form?");
await writeFile("out/.csp-script-hashes", `${[...sources].sort().join(" ")}\n`);
console.log(`csp: ${sources.size} inline scripts`);
